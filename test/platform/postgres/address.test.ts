import { describe, expect, it, test } from "vitest";
import { parsePostgresUrl, takenParameters } from "../../../src/platform/postgres/address.ts";

describe("a URL of Postgres", () => {
  it("names one server", () => {
    expect(parsePostgresUrl("postgresql://shop:a%2Fb@db.internal:5433/shop?sslmode=verify-full")).toMatchObject({
      ...{ hosts: ["db.internal"], servers: "db.internal:5433", path: "/shop", passwords: ["a/b"] },
      urls: ["postgresql://shop:a%2Fb@db.internal:5433/shop?sslmode=verify-full"],
      ...{ mustTakeWrites: false, options: undefined, connectSeconds: undefined, usesChannelBinding: false },
    });
  });

  it("names several servers, of which the one that takes writes is used", () => {
    const url = "postgres://u:p@h1:5432,[fd00::7]:5433,h3/db?target_session_attrs=read-write&sslmode=disable";
    expect(parsePostgresUrl(url)).toMatchObject({
      ...{ hosts: ["h1", "fd00::7", "h3"], servers: "h1:5432,[fd00::7]:5433,h3", mustTakeWrites: true },
      urls: [
        "postgres://u:p@h1:5432/db?sslmode=disable",
        "postgres://u:p@[fd00::7]:5433/db?sslmode=disable",
        "postgres://u:p@h3/db?sslmode=disable",
      ],
    });
    expect(parsePostgresUrl("postgres://h1,h2/db").mustTakeWrites).toBe(true);
    expect(parsePostgresUrl("postgres://h1,h2/db?target_session_attrs=any").mustTakeWrites).toBe(false);
    expect(parsePostgresUrl("postgres://h1/db?target_session_attrs=primary").mustTakeWrites).toBe(true);
  });

  it("names servers and folders of sockets by parameters, as libpq does", () => {
    expect(parsePostgresUrl("postgres://u@/db?host=h1,fd00::7&port=5432,5433").urls).toEqual([
      "postgres://u@h1:5432/db",
      "postgres://u@[fd00::7]:5433/db",
    ]);
    expect(parsePostgresUrl("postgres://u@/db?host=h1,h2&port=6432").servers).toBe("h1:6432,h2:6432");
    expect(parsePostgresUrl("postgres:///db?host=/var/run/postgresql")).toMatchObject({
      hosts: ["/var/run/postgresql"],
      urls: ["postgres://%2Fvar%2Frun%2Fpostgresql/db"],
    });
    expect(parsePostgresUrl("postgres://%2Fvar%2Frun:5433/db").hosts).toEqual(["/var/run"]);
    expect(parsePostgresUrl("postgres://localhost/db?host=/cloudsql/shop").hosts).toEqual(["/cloudsql/shop"]);
  });

  it("hands the server its options, and the driver a name and a time to connect", () => {
    const url = "postgres://h/db?options=-c%20search_path%3Dshop&application_name=a%20b&connect_timeout=15";
    expect(parsePostgresUrl(`${url}&channel_binding=prefer`)).toMatchObject({
      ...{ options: "-c search_path=shop", applicationName: "a b", connectSeconds: 15, usesChannelBinding: true },
      urls: ["postgres://h/db"],
    });
  });

  const examples: Record<string, string> = {
    ...{ host: "h", port: "5432", user: "u", password: "p", ssl: "true", sslmode: "require", uselibpqcompat: "true" },
    ...{ connect_timeout: "10", target_session_attrs: "primary", channel_binding: "prefer" },
  };
  test.each(takenParameters)("may have the parameter %s", (name) => {
    expect(() => parsePostgresUrl(`postgres://h/d?${name}=${examples[name] ?? "x"}`)).not.toThrow();
  });

  it.each([
    ["schema=shop", "has the parameter 'schema', which would have no effect: set the role's search_path"],
    ["pgbouncer=true", "'pgbouncer', which would have no effect: set DATABASE_POOLER=transaction"],
    ["connection_limit=5", "'connection_limit', which would have no effect: set DATABASE_POOL_MAX"],
    ["statement_timeout=0", "'statement_timeout', which would have no effect: this program sets its own time-outs"],
    ["SSLMODE=verify-full", "'SSLMODE', which would have no effect: leave it out; those taken are host, port"],
    ["hunter2%20%21=1", "has a parameter, which would have no effect"],
    ["sslmode=verify-full&sslmode=disable", "has the parameter 'sslmode' twice"],
    ["target_session_attrs=standby", "has to be read-write, primary or any: this program writes"],
    ["connect_timeout=0", "has to be a whole number of seconds from 1 to 60"],
    ["channel_binding=require", "has to be prefer or disable"],
    ["options=-c%20statement_timeout%3D0", "sets a time-out by 'options', which this program sets itself"],
    ["host=a,b,c&port=1,2", "names 3 hosts and 2 ports"],
    ["port=99999", "has a host or a port that cannot be read"],
  ])("is refused with a sentence: %s", (query, says) => {
    expect(() => parsePostgresUrl(`postgres://u:hunter2@h/d?${query}`)).toThrow(says);
    expect(() => parsePostgresUrl(`postgres://u:hunter2@h/d?${query}`)).not.toThrow("hunter2");
  });

  it.each(["mysql://h/d", "h:5432/d", "", "postgres://u:a@b@h/d", "postgres://h/d#x", "postgres://[bad/d"])(
    "is not '%s'",
    (text) => {
      expect(() => parsePostgresUrl(text)).toThrow(/is not like|cannot be read/);
    },
  );
});
