import { z } from "zod";
import { exportPieces, sizeOfExport } from "../../../db/dao/privacy/personal-data.ts";
import { defineKind } from "./define-kind.ts";

/** Who orders it again within the hour gets the file that is there: it says of when it is. */
const hour = () => new Date().toISOString().slice(0, 13);

/** What is stored about somebody; it is ordered by `GET /users/{user_id}/export` alone. */
export const personalDataKind = defineKind({
  kind: "personal-data",
  summary: "What is stored about somebody",
  formats: ["json"],
  asked: z.object({ userId: z.uuid(), withGuestOrders: z.boolean() }),
  missing: "User not found",
  names: ({ userId }) => ({ shown: `Личные данные ${userId}`, ascii: `personal-data-${userId}` }),
  async source(tx, parameters) {
    if (!(await sizeOfExport(tx, parameters))) return null;
    return { state: { hour: hour() }, content: () => ({ text: exportPieces(tx, parameters) }) };
  },
});
