import { z } from "zod";
import { exportPieces, sizeOfExport } from "../../../db/dao/privacy/personal-data.ts";
import { defineKind } from "./define-kind.ts";

/** A repeated request within the hour gets the existing file, which has its time in it. */
const hour = () => new Date().toISOString().slice(0, 13);

/** What is stored about a person; only `GET /users/{user_id}/export` orders it. */
export const personalDataKind = defineKind({
  kind: "personal-data",
  summary: "What is stored about a person",
  formats: ["json"],
  asked: z.object({ userId: z.uuid(), withGuestOrders: z.boolean() }),
  missing: "User not found",
  names: ({ userId }) => ({ shown: `Личные данные ${userId}`, ascii: `personal-data-${userId}` }),
  async source(tx, parameters) {
    if (!(await sizeOfExport(tx, parameters))) return null;
    return { state: { hour: hour() }, content: () => ({ text: exportPieces(tx, parameters) }) };
  },
});
