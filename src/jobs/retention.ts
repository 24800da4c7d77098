/** One kind of data that is kept for a time and then removed, as docs/retention.md explains it. */
interface RetentionLine {
  /** Days that it is kept by default. */
  days: number;
  /** The minimum and maximum that RETENTION may set. */
  min: number;
  max: number;
}

/** Ten years: data that have to be kept longer belong in an archive. */
const maxDays = 3_650;

/** All data that the nightly jobs remove when they are old, by the names in RETENTION, results and metrics. */
export const retentionLines = {
  jobs: { days: 30, min: 1, max: maxDays },
  failed_jobs: { days: 180, min: 1, max: maxDays },
  events: { days: 30, min: 1, max: maxDays },
  mails: { days: 365, min: 2, max: maxDays },
  mail_links: { days: 1, min: 1, max: 30 },
  mail_pace: { days: 7, min: 1, max: 365 },
  mail_counts: { days: 2, min: 2, max: 365 },
  bounces: { days: 730, min: 30, max: maxDays },
  audit: { days: 1_095, min: 90, max: maxDays },
  carts: { days: 365, min: 1, max: maxDays },
  documents: { days: 90, min: 1, max: maxDays },
  exports: { days: 7, min: 1, max: 90 },
  feeds: { days: 2, min: 1, max: maxDays },
  pictures: { days: 30, min: 1, max: maxDays },
  price_lists: { days: 90, min: 2, max: maxDays },
  stray_objects: { days: 1, min: 1, max: 365 },
  // A client that sends a key again within a week is promised the first answer.
  idempotency_keys: { days: 7, min: 7, max: 7 },
  received_events: { days: 30, min: 7, max: maxDays },
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
    const { min, max } = retentionLines[name as RetentionName];
    if (Number(text) < min || Number(text) > max)
      return `has '${item}': ${name} are kept for ${min === max ? min : `${min} to ${max}`} days`;
    days[name] = Number(text);
  }
  return days as Record<RetentionName, number>;
}
