import { z } from "zod";
import { catalogueState } from "../../../db/dao/catalogue/catalogue-state.ts";
import { feedRows } from "../../../db/dao/documents/feed-rows.ts";
import { ymlFeed } from "../feed/yml.ts";
import { defineKind } from "./define-kind.ts";

/** The catalogue as a Yandex feed (contract 6). */
export const feedKind = defineKind({
  kind: "feed",
  summary: "The offers in stock, as a Yandex feed",
  formats: ["xml"],
  asked: z.object({}),
  missing: "Feed not found",
  names: () => ({ shown: "Фид", ascii: "yml_feed" }),
  async source(tx, _parameters, { publicUrl }) {
    const { changedAt, fingerprint } = await catalogueState(tx);
    const content = async () => {
      const offersWithoutPrice = await feedRows.countWithoutPrice(tx);
      return { text: ymlFeed(tx, publicUrl, changedAt), offersWithoutPrice };
    };
    return { state: fingerprint, content };
  },
});
