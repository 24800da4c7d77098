import type { Schedule } from "../engine/index.ts";
import { checkCardPayments } from "./check-card-payments.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { digestLowStock } from "./digest-low-stock.ts";
import { pruneLedger } from "./prune-ledger.ts";
import { publishFeed } from "./publish-feed.ts";
import { publishPriceList } from "./publish-price-list.ts";

/** The shop's days begin and end at its own midnight. */
export const businessTimeZone = "Europe/Simferopol";

/** All schedules. */
export const schedules: readonly Schedule[] = [
  {
    name: "price-list",
    cron: "5 0 * * *",
    timeZone: businessTimeZone,
    job: publishPriceList,
    description: "The public price list of the new day, which the warehouse and the mails link to.",
  },
  {
    name: "feed",
    // Any number of changes in between make one feed.
    cron: "*/5 * * * *",
    timeZone: businessTimeZone,
    job: publishFeed,
    description: "The Yandex feed, when the catalogue has changed.",
  },
  {
    name: "feed-nightly",
    cron: "10 0 * * *",
    timeZone: businessTimeZone,
    job: publishFeed,
    description: "The Yandex feed, once a night in any case.",
  },
  {
    name: "low-stock",
    cron: "0 8 * * *",
    timeZone: businessTimeZone,
    job: digestLowStock,
    description: "A mail to staff about what was nearly sold out on the day before.",
  },
  {
    name: "card-payments",
    cron: "*/10 * * * *",
    timeZone: businessTimeZone,
    job: checkCardPayments,
    description:
      "The card provider is asked about unfinished payments and new refunds, in case a notification was lost.",
  },
  {
    name: "prune-ledger",
    cron: "30 2 * * *",
    timeZone: businessTimeZone,
    job: pruneLedger,
    description: "Rows that are older than RETENTION allows are deleted.",
  },
  {
    name: "collect-garbage",
    cron: "30 3 * * *",
    timeZone: businessTimeZone,
    job: collectGarbage,
    description: "Files that no row refers to are deleted.",
  },
];
