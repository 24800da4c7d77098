import { createHmac, timingSafeEqual } from "node:crypto";

/** Links in mails that work without a login; only this system can make one. */
export interface MailLinks {
  /** Where the recipient of this mail unsubscribes from bulk mail with one click (RFC 8058). */
  unsubscribeUrl(mailId: string): string;
  /** Where a document is downloaded, with a login. */
  documentUrl(id: string): string;
  /** The mail that the last part of such a link names; undefined when this system did not make it. */
  readUnsubscribe(token: string): string | undefined;
}

/** Links under the API's address. They stay valid until the secret changes. */
export function createMailLinks({ publicUrl, secret }: { publicUrl: string; secret: string }): MailLinks {
  const signatureOf = (mailId: string) => createHmac("sha256", secret).update(`unsubscribe:${mailId}`).digest();
  return {
    unsubscribeUrl: (mailId) =>
      `${publicUrl}/mail/unsubscribe/${mailId}.${signatureOf(mailId).subarray(0, signatureBytes).toString("base64url")}`,
    documentUrl: (id) => `${publicUrl}/documents/${id}/download`,
    readUnsubscribe(token) {
      const [, mailId = "", signature = ""] = /^([0-9a-f-]{36})\.([\w-]{22})$/.exec(token) ?? [];
      const given = Buffer.from(signature, "base64url");
      const right = signatureOf(mailId).subarray(0, signatureBytes);
      return given.length === right.length && timingSafeEqual(given, right) ? mailId : undefined;
    },
  };
}

/** 128 bits cannot be guessed, and the link stays short. */
const signatureBytes = 16;
