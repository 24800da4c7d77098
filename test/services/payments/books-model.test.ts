import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useDatabase } from "../../support/database.ts";
import { history, World } from "./books-world.ts";

/** `BOOKS_HISTORIES` raises it for a night. */
const numRuns = Number(process.env.BOOKS_HISTORIES ?? 60);

describe("the books", () => {
  const db = useDatabase();
  const world = new World(db);
  beforeAll(() => world.open());
  afterAll(() => world.close());

  test("agree after every step, whatever several actors do, also at once and with crashes", {
    timeout: 60_000 + numRuns * 3_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        await world.reset();
        for (const actors of steps) {
          await world.run(actors);
          expect(await world.disagreements()).toEqual([]);
        }
      }),
      { numRuns },
    );
  });
});
