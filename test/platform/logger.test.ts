import { expect, test } from "vitest";
import { withoutValues } from "../../src/platform/logger.ts";
import { useDatabase } from "../support/database.ts";

const db = useDatabase();

test("a failed statement is logged with its text and cause, but without the values in it", async () => {
  const insert = () =>
    db.query("INSERT INTO users (id, email, first_name, last_name) VALUES (gen_random_uuid(), $1, '', '')", [
      "nina@test.example",
    ]);
  await insert();
  const error = await insert().catch((reason: Error) => reason);
  const shown = withoutValues(error);
  expect(shown).toMatchObject({
    code: "23505",
    constraint: "users_email_key",
    query: expect.stringContaining("INSERT"),
  });
  expect(shown.stack).toContain("logger.test.ts");
  expect(JSON.stringify(shown)).not.toContain("nina");
});
