/** What a request asks for, or `notification` for what the emulator sends. */
export type Act = "start" | "read" | "capture" | "cancel" | "refund" | "notification";

/**
 * What goes wrong with a request: the connection is cut or the answer is an error, before the act or after it; the
 * answer is `slow`, or no JSON; a refund stays `pending`. A notification is sent twice, is not sent before
 * `releaseNotifications`, or is lost.
 */
export const requestFaults = [
  "cut-before",
  "cut-after",
  "error-before",
  "error-after",
  "processing",
  "busy",
  "slow",
  "garbage",
] as const;
export type RequestFault = (typeof requestFaults)[number] | "pending";
export const notificationFaults = ["doubled", "held", "lost"] as const;
export type NotificationFault = (typeof notificationFaults)[number];

/** Faults that are planned, and the one for the next act of a kind. */
export interface FaultPlan {
  /** The next requests of this kind fail so, one after the other. */
  plan(act: Exclude<Act, "notification">, ...faults: RequestFault[]): void;
  /** The next notifications go so, one after the other. */
  planNotifications(...faults: NotificationFault[]): void;
  takeRequest(act: Exclude<Act, "notification">): RequestFault | undefined;
  takeNotification(): NotificationFault | undefined;
  clear(): void;
}

/** Makes an empty plan. */
export function createFaultPlan(): FaultPlan {
  const planned = new Map<Act, string[]>();
  const add = (act: Act, faults: string[]) => planned.set(act, [...(planned.get(act) ?? []), ...faults]);
  const take = (act: Act) => planned.get(act)?.shift();
  return {
    plan: (act, ...faults) => void add(act, faults),
    planNotifications: (...faults) => void add("notification", faults),
    takeRequest: (act) => take(act) as RequestFault | undefined,
    takeNotification: () => take("notification") as NotificationFault | undefined,
    clear: () => planned.clear(),
  };
}
