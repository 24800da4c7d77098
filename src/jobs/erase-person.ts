import { z } from "zod";
import { defineJob } from "../engine/index.ts";

/** Erases what is stored about a person; whom it is about stands in the row of the erasure, as long as it runs. */
export const erasePerson = defineJob({
  name: "erase-person",
  queue: "maintenance",
  payload: z.object({ erasureId: z.uuid() }),
  key: ({ erasureId }) => erasureId,
  entity: ({ erasureId }) => ({ type: "erasure", id: erasureId }),
  // It has been promised to a person, so an outage of hours must not end it.
  retry: { attempts: 10, backoffMs: 30_000 },
  timeoutMs: 3_600_000,
  description: "Erases what is stored about a person, and keeps what book-keeping needs.",
});
