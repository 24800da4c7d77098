import type { Log } from "./logger.ts";
import { type MailFault, mailFaults } from "./smtp-replies.ts";

/** What a mail server, or the lack of one, has said about this installation. */
export interface Refusal {
  fault: MailFault;
  /** Stage, code and enhanced code; undefined: it said nothing. */
  reply: { stage: string; code: number; enhanced: string | undefined } | undefined;
}

/** Waits between tries of a server that refuses this installation. */
export interface HoldTimes {
  firstMs: number;
  /** Each is twice as long as the one before, up to this. */
  mostMs: number;
}

const usualTimes: HoldTimes = { firstMs: 3_000, mostMs: 300_000 };

/** One mail tries the server again; without an outcome after so long, the next one does. */
const trialMs = 30_000;
/** Sessions that end one after the other, with no mail taken in between: twice as many as there are connections. */
const sessionsInARow = 40;
/** A mail that the server refuses so often "because of us", while it takes others in between, is refused itself. */
const timesInARow = 3;
/** A mail that waits tries again within so long after its wait. */
const trialsWithinMs = 60_000;
const rememberedMails = 10_000;

interface Held {
  fault: MailFault;
  since: number;
  until: number;
  tries: number;
}

const waitOf = ({ since, until }: Held) => until - since;

/**
 * Holds all mail back while the server refuses this installation: waits grow, then one mail tries. It has one state for
 * a process, and no effect on what is under way.
 */
export function createMailHold(log: Log, { firstMs, mostMs }: HoldTimes = usualTimes) {
  let held: Held | undefined;
  let trialUntil = 0;
  let sessions = 0;
  let takenAt = Number.NEGATIVE_INFINITY;
  /** Mails that were refused because of us, and how often others were taken after that. */
  const refused = new Map<string, { at: number; times: number }>();

  return {
    /** The fault for which mail is held back; undefined also when no mail has tried again since it might. */
    fault: () => (held && performance.now() < held.until + waitOf(held) / 2 + trialsWithinMs ? held.fault : undefined),

    /** How long this mail has to wait; 0: it goes now, and while mail is held it is the one that tries. */
    waitMs(id: string): number {
      if (!held) return 0;
      const now = performance.now();
      const spread = (ms: number) => ms * Math.random();
      // Others first: this one may be what the server minds.
      const last = refused.has(id) ? firstMs : 0;
      if (now < held.until + last) return held.until - now + last + spread(waitOf(held) / 2);
      if (now < trialUntil) return firstMs + spread(firstMs);
      trialUntil = now + trialMs;
      return 0;
    },

    /** The server took a mail. */
    taken(id: string) {
      takenAt = performance.now();
      refused.delete(id);
      this.heard();
    },

    /** The server talks with us: it took a mail, or refused one for its own sake. */
    heard() {
      sessions = 0;
      trialUntil = 0;
      if (held) log.info({ fault: held.fault }, "The mail server takes mail again");
      held = undefined;
    },

    /**
     * The server refused this installation when this mail was sent, which began at `beganAt`. True when the mail itself
     * must be meant: the server has taken others each time.
     */
    refuse(id: string, beganAt: number, { fault, reply }: Refusal): boolean {
      if (isAboutOne(id)) return true;
      trialUntil = 0;
      // What was under way when the hold began says nothing new.
      if (held && beganAt < held.since) return false;
      if (!held && fault === "session" && ++sessions < sessionsInARow) return false;
      const now = performance.now();
      const tries = held ? held.tries + 1 : 0;
      const waitMs = Math.min(firstMs * 2 ** tries, mostMs);
      held = { fault, since: now, until: now + waitMs, tries };
      log.error(
        // Its text may name the recipient.
        { fault, stage: reply?.stage, code: reply?.code, enhanced: reply?.enhanced, nextTryInMs: Math.round(waitMs) },
        `The mail server refuses this installation; mails wait and lose nothing. ${mailFaults[fault]}`,
      );
      return false;
    },
  };

  function isAboutOne(id: string): boolean {
    const before = refused.get(id);
    const times = (before?.times ?? 0) + (before && takenAt > before.at ? 1 : 0);
    // The newest ones are last.
    refused.delete(id);
    refused.set(id, { at: performance.now(), times });
    if (times >= timesInARow) return true;
    for (const oldest of refused.keys()) {
      if (refused.size <= rememberedMails) break;
      refused.delete(oldest);
    }
    return false;
  }
}
