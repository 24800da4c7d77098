/** What a connection URL of Postgres says. */
export interface PostgresAddress {
  /** Names, addresses or folders of sockets, in the order in which they are tried. */
  hosts: readonly string[];
  /** The servers with their ports, and the path with the database: for people, without a login. */
  servers: string;
  path: string;
  /** One URL for each server, as the driver takes it. */
  urls: readonly [string, ...string[]];
  passwords: readonly string[];
  /** Parameters about encryption, as the driver reads them. */
  encryption: ReadonlyMap<string, string>;
  /** True: a server that takes no writes is passed over. */
  mustTakeWrites: boolean;
  /** What the server gets as `options`, such as `-c search_path=shop`. */
  options: string | undefined;
  applicationName: string | undefined;
  connectSeconds: number | undefined;
  usesChannelBinding: boolean;
}

const encryption = ["ssl", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslnegotiation", "uselibpqcompat"];
const login = ["user", "password"];
/** The parameters of a URL that are taken; all others are refused, because they would be ignored in silence. */
export const takenParameters = [
  ...["host", "port", ...login, ...encryption, "channel_binding"],
  ...["application_name", "connect_timeout", "options", "target_session_attrs"],
];

const own = "this program sets its own time-outs";
/** What to do instead, for parameters of other programs that people bring along. */
const instead: Readonly<Record<string, string>> = {
  schema: "set the role's search_path (ALTER ROLE … SET search_path = …), or add 'options=-c%20search_path%3D…'",
  search_path: "set the role's search_path (ALTER ROLE … SET search_path = …), or add 'options=-c%20search_path%3D…'",
  pgbouncer: "set DATABASE_POOLER=transaction",
  connection_limit: "set DATABASE_POOL_MAX",
  statement_timeout: own,
  lock_timeout: own,
};
/** What this program sets for each session or transaction itself, and would override without a word. */
const ownSetting = /\b(statement_timeout|lock_timeout|idle_in_transaction_session_timeout)\b/i;

const shape = /^(postgres(?:ql)?:\/\/)(?:([^@/?#]*)@)?([^@/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;

/**
 * Reads a connection URL as libpq writes it, with one server or more:
 * `postgresql://user:password@host1:5432,host2:5433/database?parameter=…`
 * (https://www.postgresql.org/docs/current/libpq-connect.html, "Connection URIs"). Throws an error whose message
 * continues "DATABASE_URL …" and shows no value that could be secret.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const [, scheme, user, authority = "", path = "", query = ""] = shape.exec(text) ?? [];
  if (scheme === undefined) throw new Error("is not like 'postgresql://user:password@host:5432/database'");
  const parameters = readParameters(query);
  const servers = serversOf(authority, parameters);
  const forDriver = pick(parameters, [...login, ...encryption]);
  const rest = forDriver.size > 0 ? `?${new URLSearchParams([...forDriver])}` : "";
  const urls = servers.map(({ host, port }) => {
    const where = host.startsWith("/") ? encodeURIComponent(host) : host;
    return `${scheme}${user === undefined ? "" : `${user}@`}${where}${port && `:${port}`}${path}${rest}`;
  });
  for (const url of urls) refuseUnreadable(url);
  const options = parameters.get("options");
  if (options !== undefined && ownSetting.test(options))
    throw new Error("sets a time-out by 'options', which this program sets itself: leave it out there");
  return {
    hosts: servers.map(({ host }) => host.replace(/^\[(.*)\]$/, "$1")),
    servers: servers.map(({ host, port }) => (port ? `${host}:${port}` : host)).join(","),
    path,
    urls: urls as [string, ...string[]],
    passwords: [decode(user?.split(":").slice(1).join(":") ?? ""), parameters.get("password") ?? ""].filter(Boolean),
    encryption: pick(parameters, encryption),
    mustTakeWrites: mustTakeWrites(parameters.get("target_session_attrs"), servers.length),
    options,
    applicationName: parameters.get("application_name"),
    connectSeconds: secondsOf(parameters.get("connect_timeout")),
    usesChannelBinding: usesChannelBinding(parameters.get("channel_binding")),
  };
}

function readParameters(query: string) {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!takenParameters.includes(name)) {
      const shown = /^\w{1,40}$/.test(name) ? `the parameter '${name}'` : "a parameter";
      const hint = instead[name] ?? `leave it out; those taken are ${takenParameters.join(", ")}`;
      throw new Error(`has ${shown}, which would have no effect: ${hint}`);
    }
    // Programs differ in which of two they take.
    if (parameters.has(name)) throw new Error(`has the parameter '${name}' twice`);
    parameters.set(name, value);
  }
  return parameters;
}

/** The servers of the parameter `host`, else those before the path. */
function serversOf(authority: string, parameters: ReadonlyMap<string, string>) {
  const before = authority.split(",").map((one) => /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(one) ?? [one, one, ""]);
  const ports = parameters.get("port")?.split(",") ?? before.map(([, , port = ""]) => port);
  const hosts = parameters.get("host")?.split(",") ?? before.map(([, host = ""]) => decode(host));
  if (ports.length !== 1 && ports.length !== hosts.length)
    throw new Error(`names ${hosts.length} hosts and ${ports.length} ports: one port for all, or one for each`);
  return hosts.map((host, at) => {
    const port = (ports.length === 1 ? ports[0] : ports[at]) ?? "";
    const isIp6 = host.includes(":") && !host.startsWith("[") && !host.startsWith("/");
    // Without a host the driver takes its own default, and cannot read a port there.
    return { host: isIp6 ? `[${host}]` : host || (port ? "localhost" : ""), port };
  });
}

function refuseUnreadable(url: string) {
  // A login without a host is fine for the driver only.
  if (!URL.canParse(url.replace("@/", "@localhost/").replace(/@$/, "@localhost")))
    throw new Error("has a host or a port that cannot be read");
}

/** As libpq has it; with several servers the one that takes writes is meant unless the URL says `any`. */
function mustTakeWrites(given: string | undefined, servers: number) {
  if (given === undefined) return servers > 1;
  if (given === "any") return false;
  if (given === "read-write" || given === "primary") return true;
  throw new Error("has 'target_session_attrs', which has to be read-write, primary or any: this program writes");
}

function secondsOf(given: string | undefined) {
  if (given === undefined) return undefined;
  if (/^([1-9]|[1-5]\d|60)$/.test(given)) return Number(given);
  throw new Error("has 'connect_timeout', which has to be a whole number of seconds from 1 to 60");
}

function usesChannelBinding(given: string | undefined) {
  if (given === undefined || given === "disable") return false;
  if (given === "prefer") return true;
  throw new Error(
    "has 'channel_binding', which has to be prefer or disable: the driver uses it where the server offers it, and cannot insist",
  );
}

function pick(from: ReadonlyMap<string, string>, names: readonly string[]) {
  return new Map([...from].filter(([name]) => names.includes(name)));
}

function decode(text: string) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
