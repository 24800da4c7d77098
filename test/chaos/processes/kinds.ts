import { z } from "zod";
import { type AnyJob, defineJob, priorities } from "../../../src/engine/define-job.ts";

export const kindNames = { stock: "chaos-stock", mail: "chaos-mail", broken: "chaos-broken" } as const;
export type ChaosKind = (typeof kindNames)[keyof typeof kindNames];

const ref = z.object({ ref: z.string() });
const Stock = ref.extend({ item: z.int(), delta: z.int(), withReceipt: z.boolean() });
/** Release 2 wants to know why, and cannot read a payload without it. */
const ReasonedStock = Stock.extend({ reason: z.string() });
const Mail = ref.extend({ to: z.string() });

export type StockPayload = z.output<typeof Stock>;
export type MailPayload = z.output<typeof Mail>;

const shared = {
  version: 1,
  key: (payload: unknown) => (payload as { ref: string }).ref,
  entity: (payload: unknown) => ({ type: "chaos", id: (payload as { ref: string }).ref }),
  priority: priorities.normal,
  retry: { attempts: 10, backoffMs: 300, outageMs: 1_000 },
  timeoutMs: 30_000,
};

const sendMail = defineJob({
  ...shared,
  name: kindNames.mail,
  queue: "mail",
  payload: Mail,
  description: "Sends a mail under fire.",
});

const breakUntilMended = defineJob({
  ...shared,
  name: kindNames.broken,
  queue: "maintenance",
  payload: ref,
  description: "Fails for good until the harness mends what is at fault.",
});

const moveStock = {
  ...shared,
  name: kindNames.stock,
  queue: "maintenance",
  description: "Moves the stock of an item under fire; some leave a receipt in the bucket.",
} as const;

/** The jobs of the harness, as a release of them knows them. */
export function chaosJobs(release: "1" | "2"): Record<ChaosKind, AnyJob> {
  const stock =
    release === "1"
      ? defineJob({ ...moveStock, payload: Stock })
      : defineJob({
          ...moveStock,
          version: 2,
          payload: ReasonedStock,
          upgrades: { 1: (payload) => ({ ...(payload as StockPayload), reason: "promised before reasons were kept" }) },
        });
  return {
    [kindNames.stock]: stock as AnyJob,
    [kindNames.mail]: sendMail as AnyJob,
    [kindNames.broken]: breakUntilMended as AnyJob,
  };
}
