import { z } from "zod";
import { defineJob } from "../engine/index.ts";

/** Erases what is stored about a person; only the row of the erasure names the person, while it runs. */
export const erasePerson = defineJob({
  name: "erase-person",
  queue: "maintenance",
  payload: z.object({ erasureId: z.uuid() }),
  key: ({ erasureId }) => erasureId,
  entity: ({ erasureId }) => ({ type: "erasure", id: erasureId }),
  // A person was promised the erasure, so an outage of hours must not end it.
  retry: { attempts: 10, backoffMs: 30_000 },
  timeoutMs: 3_600_000,
  description: "Erases what is stored about a person, and keeps what book-keeping needs.",
});
