/** One kind of data that is kept for a time and then removed, as docs/retention.md explains it. */
interface RetentionLine {
  /** Days that it is kept by default. */
  days: number;
  /** The minimum and maximum that RETENTION may set. */
  least: number;
  most: number;
}

/** Ten years: data that have to be kept longer belong in an archive. */
const longest = 3_650;

/** All data that the nightly jobs remove when they are old, by the names in RETENTION, results and metrics. */
export const retentionLines = {
  jobs: { days: 30, least: 1, most: longest },
  failed_jobs: { days: 180, least: 1, most: longest },
  events: { days: 30, least: 1, most: longest },
  mails: { days: 365, least: 2, most: longest },
  mail_links: { days: 1, least: 1, most: 30 },
  mail_pace: { days: 7, least: 1, most: 365 },
  mail_counts: { days: 2, least: 2, most: 365 },
  bounces: { days: 730, least: 30, most: longest },
  audit: { days: 1_095, least: 90, most: longest },
  carts: { days: 365, least: 1, most: longest },
  documents: { days: 90, least: 1, most: longest },
  exports: { days: 7, least: 1, most: 90 },
  feeds: { days: 2, least: 1, most: longest },
  pictures: { days: 30, least: 1, most: longest },
  price_lists: { days: 90, least: 2, most: longest },
  stray_objects: { days: 1, least: 1, most: 365 },
  // A client that sends a key again within a week is promised the first answer.
  idempotency_keys: { days: 7, least: 7, most: 7 },
  received_events: { days: 30, least: 7, most: longest },
} as const satisfies Record<string, RetentionLine>;

export type RetentionName = keyof typeof retentionLines;

/** Days that each kind of data is kept, by its name. */
export type Retention = Readonly<Record<RetentionName, number>>;

export const retentionNames = Object.keys(retentionLines) as RetentionName[];

/** The value of RETENTION parsed, `mails=400,audit=1825` in days; or a sentence that says what is wrong with it. */
export function readRetention(items: readonly string[]): Retention | string {
  const days: Record<string, number> = Object.fromEntries(
    retentionNames.map((name) => [name, retentionLines[name].days]),
  );
  for (const item of items) {
    const [, name = "", text] = /^([a-z_]+)=(\d{1,5})$/.exec(item) ?? [];
    if (!Object.hasOwn(retentionLines, name))
      // A value that was pasted here by mistake may be a secret.
      return `has ${/^[\w=.-]{1,40}$/.test(item) ? `'${item}'` : "something else in it"}: write it like 'mails=400', in days, of ${retentionNames.join(", ")}`;
    const { least, most } = retentionLines[name as RetentionName];
    if (Number(text) < least || Number(text) > most)
      return `has '${item}': ${name} are kept for ${least === most ? least : `${least} to ${most}`} days`;
    days[name] = Number(text);
  }
  return days as Record<RetentionName, number>;
}
