import { describe, expect, test } from "vitest";
import { createTransact } from "../../../../src/engine/transaction.ts";
import { requestDocument } from "../../../../src/services/documents/documents.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { addOrder } from "../../../support/goods.ts";
import { send } from "../../../support/send.ts";
import { addEndpoint } from "../../../support/webhook-endpoints.ts";

// Lists of catalogue, orders, waybills, people and money state theirs where they are tested.
describe("a list takes as many statements for twenty as for one", () => {
  const api = useApi({ relay: false });
  const transact = createTransact(api.db, () => {});
  const twenty = async (make: (n: number) => Promise<unknown>) => {
    for (let n = 0; n < 20; n++) await make(n);
  };

  /** Who asks is one of them. */
  const lists: Record<string, [path: string, fill: () => Promise<void>]> = {
    "4 for documents with their jobs": [
      "/documents",
      () =>
        twenty(async () => {
          const { id } = await addOrder(api.db, [], { userId: userIds.user });
          await transact({ actorId: userIds.user, traceId: null }, (tx) =>
            requestDocument(
              tx,
              { kind: "order", format: "pdf", parameters: { id }, requestedBy: null },
              api.context.shop,
            ),
          );
        }),
    ],
    "3 for webhook endpoints": ["/webhook-endpoints", () => twenty(() => addEndpoint(api.db))],
    "3 for jobs": ["/jobs", async () => undefined],
  };

  test.each(Object.entries(lists))("%s", async (name, [path, fill]) => {
    await fill();
    const cost = (size: number) =>
      countStatements(api.db, async () => {
        const answer = await send<{ items: unknown[] }>(api, "GET", `${path}?size=${size}`, {
          token: api.tokens.admin,
        });
        expect(answer.body.items).toHaveLength(size);
      });
    expect([await cost(1), await cost(20)]).toEqual([Number.parseInt(name, 10), Number.parseInt(name, 10)]);
  });
});
