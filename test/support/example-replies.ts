import type { MailFault, ReplyRule, SmtpStage } from "../../src/platform/smtp-replies.ts";

interface ExampleReply {
  stage: SmtpStage;
  reply: string;
  about: ReplyRule["about"];
  fault?: MailFault;
}

const of =
  (about: ReplyRule["about"], fault?: MailFault) =>
  (stage: SmtpStage, reply: string): ExampleReply => ({ stage, reply, about, ...(fault && { fault }) });
const us = (fault: MailFault) => of("us", fault);
const recipient = of("recipient");
const message = of("message");

/** Replies as mail servers give them, at least one for each row of the table, and whom they are about. */
export const exampleReplies: readonly ExampleReply[] = [
  us("session")("greeting", "421 4.3.2 Too many concurrent connections"),
  us("session")("MAIL", "421 4.7.0 mail.test Error: too many messages in this session"),
  us("session")("RCPT", "421 Service not available, closing transmission channel"),
  us("session")("message", "421 4.4.2 Timeout exceeded"),
  us("refused")("greeting", "554 5.7.1 Your address is on a blocklist"),
  us("refused")("greeting", "521 host does not accept mail"),
  us("refused")("EHLO", "550 5.7.1 HELO name is not acceptable"),
  us("tls")("STARTTLS", "454 4.7.0 TLS not available due to local problem"),
  us("tls")("STARTTLS", "502 5.5.1 Error: command not implemented"),
  us("login")("AUTH", "535 5.7.8 Error: authentication failed"),
  us("login")("AUTH", "454 4.7.0 Temporary authentication failure"),
  us("tls")("MAIL", "530 5.7.0 Must issue a STARTTLS command first"),
  us("tls")("MAIL", "538 Encryption required for requested authentication mechanism"),
  us("tls")("MAIL", "550 5.7.10 Encryption needed"),
  us("login")("MAIL", "530 5.7.0 Authentication required"),
  us("login")("RCPT", "535 Incorrect authentication data"),
  us("login")("MAIL", "550 5.7.8 Sign in first"),
  us("login")("message", "550 5.7.13 User account disabled"),
  us("sender")("MAIL", "553 5.1.8 Domain of sender address does not exist"),
  us("sender")("RCPT", "450 4.1.8 <shop@test.example>: Sender address rejected: Domain not found"),
  us("sender")("RCPT", "501 5.1.7 Bad sender address syntax"),
  us("sender")("message", "550 5.7.26 This mail is unauthenticated"),
  us("sender")("RCPT", "450 4.7.25 Client host rejected: cannot find your hostname"),
  us("limit")("MAIL", "450 4.7.1 Error: too much mail from 192.0.2.1"),
  us("limit")("RCPT", "450 4.7.1 Error: too many recipients from 192.0.2.1"),
  us("limit")("message", "454 Throttling failure: Maximum sending rate exceeded."),
  us("limit")("RCPT", "550 5.4.5 Daily user sending limit exceeded"),
  us("limit")("message", "450 4.7.28 Unusual rate of mail from your address"),
  us("relay")("RCPT", "554 5.7.1 <anna@test.example>: Relay access denied"),
  us("relay")("RCPT", "454 4.7.1 <anna@test.example>: Relay access denied"),
  us("relay")("RCPT", "550 relay not permitted"),
  us("relay")("RCPT", "550 5.7.1 Unable to relay"),
  us("sender")("RCPT", "553 5.7.1 <shop@test.example>: Sender address rejected: not owned by user shop"),
  us("sender")("RCPT", "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied"),
  us("sender")("RCPT", "550 5.1.0 <shop@test.example>: Sender address rejected: User unknown"),
  us("sender")("RCPT", "550 Sender verify failed"),
  us("server")("MAIL", "454 4.7.0 Try again later"),
  message("MAIL", "552 5.3.4 Message size exceeds fixed limit"),
  message("message", "552 5.3.4 Error: message file too big"),
  message("message", "554 5.4.6 Too many hops"),
  message("message", "554 5.6.0 Message contains invalid header"),
  message("MAIL", "554 5.6.3 Conversion required but not supported"),
  recipient("RCPT", "452 4.2.2 Mailbox full"),
  recipient("RCPT", "550 5.2.1 Mailbox disabled"),
  recipient("RCPT", "450 4.2.0 <anna@test.example>: Recipient address rejected: Greylisted"),
  recipient("message", "552 5.2.2 Over quota"),
  us("sender")("MAIL", "550 5.1.0 Address rejected"),
  recipient("RCPT", "550 5.1.1 <anna@test.example>: Recipient address rejected: User unknown in relay recipient table"),
  recipient("RCPT", "450 4.1.2 <anna@test.example>: Recipient address rejected: Domain not found"),
  recipient("RCPT", "556 5.1.10 Recipient address has null MX"),
  us("server")("message", "451 4.3.0 Error: queue file write error"),
  us("server")("MAIL", "452 4.3.1 Insufficient system storage"),
  us("server")("RCPT", "451 4.3.0 <anna@test.example>: Temporary lookup failure"),
  us("server")("MAIL", "550 5.3.2 System not accepting network messages"),
  recipient("RCPT", "450 4.4.1 No answer from host"),
  recipient("RCPT", "550 5.4.1 Recipient address rejected: Access denied"),
  us("server")("message", "451 4.4.3 Directory server failure"),
  recipient("RCPT", "501 Bad address syntax"),
  us("protocol")("MAIL", "503 5.5.1 Error: send HELO/EHLO first"),
  us("protocol")("RCPT", "503 Bad sequence of commands"),
  us("protocol")("MAIL", "555 5.5.4 Unsupported option: BODY"),
  us("protocol")("DATA", "554 5.5.1 Error: no valid recipients"),
  recipient("RCPT", "451 4.7.1 Greylisting in action, please come back later"),
  us("relay")("RCPT", "550 5.7.1 Delivery not authorized"),
  us("relay")("RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
  us("sender")("MAIL", "550 5.7.1 Not you"),
  us("refused")("DATA", "554 5.7.1 Policy"),
  message("message", "550 5.7.1 Message looks like spam"),
  message("message", "451 4.7.1 Greylisting in action, please come back later"),
  message("MAIL", "552 Too large"),
  us("server")("MAIL", "451 Try again later"),
  us("sender")("MAIL", "553 Not you"),
  recipient("RCPT", "450 Mailbox busy"),
  recipient("RCPT", "452 Mailbox full"),
  recipient("RCPT", "550 No such user here"),
  us("server")("DATA", "451 Try again later"),
  us("server")("message", "452 No room"),
  message("message", "554 Spam"),
  message("message", "450 Try again later"),
];
