/** Where a dialogue with a mail server is when a reply comes; `message` is after the dot that ends the mail. */
export const smtpStages = ["greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "message"] as const;
export type SmtpStage = (typeof smtpStages)[number];

/** Why a mail server does not take mail of this installation, and what an operator does about it. */
export const mailFaults = {
  unreachable: "Look at SMTP_HOST and SMTP_PORT, at the network, and whether the server runs",
  tls: "Look at SMTP_SECURITY, at the server's certificate, and at EXTRA_CA_FILE",
  refused:
    "Ask the server's operator whether it blocks this address, and whether SMTP_PORT is that for submission (587 or 465)",
  login:
    "Correct SMTP_USER and SMTP_PASS; a server that wants a login offers it only over TLS as a rule (SMTP_SECURITY)",
  sender: "Have the server permit SMTP_FROM for this login, and check SPF, DKIM and reverse DNS of its domain",
  relay: "Set SMTP_USER and SMTP_PASS, or have the server relay for this address",
  limit: "Ask for a higher limit, or stay below it with MAIL_DOMAIN_RATES and MAIL_DAILY_CAP",
  session: "Nothing, if it passes; else the server permits fewer connections, or fewer mails on one, than it is given",
  server: "Look at the server's log and disk: it cannot do its work at the moment",
  protocol:
    "Look whether SMTP_HOST and SMTP_PORT are a mail server for submission, or something in front of it changes the dialogue",
} as const;
export type MailFault = keyof typeof mailFaults;

/** A kind of reply: all that is given has to fit, and the first that fits counts. */
export interface ReplyRule {
  /** Stages at which it comes; absent: any. */
  at?: readonly SmtpStage[];
  /** Reply codes, `x` being any digit (RFC 5321, 4.2). */
  codes: readonly string[];
  /** Enhanced codes without their class, `x` being any number (RFC 3463); "none": the reply has none. */
  enhanced?: readonly string[];
  /** What the text says, where the codes say too little. */
  says?: RegExp;
  about: "us" | "recipient" | "message";
  /** Of a reply about us. */
  fault?: MailFault;
  means: string;
}

const any = ["4xx", "5xx"] as const;
const us = (fault: MailFault) => ({ about: "us", fault }) as const;
const recipient = { about: "recipient" } as const;
const message = { about: "message" } as const;

/** Enhanced codes: IANA's registry, by RFC 3463, 4954, 7372, 7505 and others. */
export const replyRules: readonly ReplyRule[] = [
  { codes: ["421"], ...us("session"), means: "the server ends the session: enough mails or connections, or a restart" },
  { at: ["greeting", "EHLO"], codes: any, ...us("refused"), means: "it does not serve this client" },
  { at: ["STARTTLS"], codes: any, ...us("tls"), means: "it has no TLS at the moment" },
  { at: ["AUTH"], codes: any, ...us("login"), means: "it refuses the login, or cannot check it now" },
  { codes: ["530", "538"], says: /tls|encrypt/i, ...us("tls"), means: "it wants TLS first" },
  { codes: any, enhanced: ["7.10"], ...us("tls"), means: "it wants TLS first" },
  { codes: ["530", "534", "535", "538"], ...us("login"), means: "it wants a login" },
  {
    codes: any,
    enhanced: ["7.8", "7.9", "7.11", "7.12", "7.13", "7.14"],
    ...us("login"),
    means: "the login is wrong, too weak, disabled or not trusted",
  },
  { codes: any, enhanced: ["1.7", "1.8"], ...us("sender"), means: "the sender's address or domain is not valid" },
  {
    codes: any,
    enhanced: ["7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27"],
    ...us("sender"),
    means: "SPF, DKIM, reverse DNS or MX of the sender's domain are wrong",
  },
  {
    codes: any,
    enhanced: ["none", "3.0", "3.2", "4.5", "7.0", "7.1"],
    says: /too (?:many|much) (?:mail|message|connection|recipient|command)|throttl|rate limit|sending rate|sending limit|(?:hourly|daily) (?:message |sending )?(?:limit|quota)/i,
    ...us("limit"),
    means: "this client sends more than it may",
  },
  { codes: any, enhanced: ["7.28"], ...us("limit"), means: "this client sends more than it may" },
  {
    at: ["MAIL", "RCPT"],
    codes: any,
    enhanced: ["none", "7.x"],
    says: /relay(?:ing)? (?:access )?(?:denied|not|prohibited)|(?:unable|permitted|allowed) to relay|not relay/i,
    ...us("relay"),
    means: "it does not relay for this client",
  },
  {
    at: ["MAIL", "RCPT"],
    codes: any,
    enhanced: ["none", "1.0", "7.x"],
    says: /sender (?:address|verif|domain)|client host|helo command|not owned by user|authentication (?:is )?required/i,
    ...us("sender"),
    means: "it refuses the sender, the name or the address of this client, which many say only at RCPT",
  },
  { codes: ["454"], ...us("server"), means: "TLS, the login or the relaying is unavailable for a while" },
  { codes: any, enhanced: ["3.4"], ...message, means: "larger than the server takes" },
  { codes: any, enhanced: ["4.6"], ...message, means: "it has gone round in a loop" },
  { codes: any, enhanced: ["6.x"], ...message, means: "its content cannot be passed on" },
  {
    at: ["RCPT", "DATA", "message"],
    codes: any,
    enhanced: ["2.x"],
    ...recipient,
    means: "the mailbox is disabled, full, or too small for it",
  },
  { at: ["MAIL"], codes: any, enhanced: ["1.x"], ...us("sender"), means: "the sender's address is not valid" },
  { codes: any, enhanced: ["1.x"], ...recipient, means: "there is no such address" },
  { codes: any, enhanced: ["3.x"], ...us("server"), means: "the server is full, overloaded or set up wrongly" },
  { at: ["RCPT"], codes: any, enhanced: ["4.x"], ...recipient, means: "the recipient's server cannot be reached" },
  { codes: any, enhanced: ["4.x"], ...us("server"), means: "the server's own network fails" },
  {
    at: ["RCPT"],
    codes: ["501"],
    enhanced: ["none", "5.2", "5.4"],
    ...recipient,
    means: "the address has a form that it does not take",
  },
  {
    codes: ["500", "501", "502", "503", "504", "555"],
    ...us("protocol"),
    means: "it does not understand the dialogue",
  },
  { codes: any, enhanced: ["5.x"], ...us("protocol"), means: "it does not understand the dialogue" },
  {
    at: ["RCPT"],
    codes: ["4xx"],
    enhanced: ["7.x"],
    ...recipient,
    means: "a greylist: it takes a mail for this recipient later",
  },
  {
    at: ["RCPT"],
    codes: ["5xx"],
    enhanced: ["7.x"],
    ...us("relay"),
    means: "its rules do not let this client send there",
  },
  {
    at: ["MAIL"],
    codes: any,
    enhanced: ["7.x"],
    ...us("sender"),
    means: "its rules do not let this client send as this sender",
  },
  { at: ["DATA"], codes: any, enhanced: ["7.x"], ...us("refused"), means: "its rules do not let this client send" },
  { codes: any, enhanced: ["7.x"], ...message, means: "taken for spam, or against a rule about content" },
  { at: ["MAIL"], codes: ["552"], ...message, means: "larger than the server takes" },
  { at: ["MAIL"], codes: ["4xx"], ...us("server"), means: "it takes no mail at the moment" },
  { at: ["MAIL"], codes: ["5xx"], ...us("sender"), means: "it refuses the sender" },
  {
    at: ["RCPT"],
    codes: ["4xx"],
    ...recipient,
    means: "the mailbox is busy or full, or the recipient is on a greylist",
  },
  { at: ["RCPT"], codes: ["5xx"], ...recipient, means: "there is no such mailbox, or it takes no mail" },
  { at: ["DATA"], codes: any, ...us("server"), means: "it takes no mail at the moment" },
  { at: ["message"], codes: ["451", "452"], ...us("server"), means: "it failed while it stored or checked the mail" },
  { at: ["message"], codes: any, ...message, means: "it does not take this mail" },
];

/** A reply as its parts, and the rule that it falls under. */
export interface JudgedReply {
  stage: SmtpStage;
  code: number;
  /** As `5.1.1`. */
  enhanced: string | undefined;
  rule: ReplyRule;
}

/** Reads a negative reply, which may have several lines; undefined for any other. Harmless for any text. */
export function judgeReply(stage: SmtpStage, reply: string): JudgedReply | undefined {
  const code = /^[45]\d\d(?=[ \-\r\n]|$)/.exec(reply)?.[0];
  if (code === undefined) return undefined;
  // Qmail and its heirs write the enhanced code at the end, as (#5.7.1).
  const found = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?!\S)/.exec(reply) ?? /\(#([45]\.\d{1,3}\.\d{1,3})\)/.exec(reply);
  const enhanced = found?.[1];
  const rule = replyRules.find((one) => fits(one, { stage, code, enhanced, reply }));
  return rule && { stage, code: Number(code), enhanced, rule };
}

interface Reply {
  stage: SmtpStage;
  code: string;
  enhanced: string | undefined;
  reply: string;
}

function fits({ at, codes, enhanced, says }: ReplyRule, given: Reply) {
  if (at && !at.includes(given.stage)) return false;
  if (!codes.some((pattern) => [...pattern].every((digit, i) => digit === "x" || digit === given.code[i])))
    return false;
  if (enhanced && !enhanced.some((pattern) => fitsEnhanced(pattern, given.enhanced))) return false;
  // Replies repeat addresses, and an address may be called anything.
  return !says || says.test(given.reply.replaceAll(/<[^<>]*>/g, ""));
}

function fitsEnhanced(pattern: string, enhanced: string | undefined) {
  if (enhanced === undefined) return pattern === "none";
  const rest = enhanced.slice(2);
  return pattern.endsWith(".x") ? rest.startsWith(pattern.slice(0, -1)) : rest === pattern;
}
