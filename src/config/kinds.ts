import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { parsePostgresUrl } from "../platform/postgres/address.ts";

// Kinds of settings, which `src/config.ts` combines.

export const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean),
  );
/** Only digits: Number() reads a blank as 0, and 0 would disable a limit. */
export const whole = (min: number, max = 999_999_999) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().min(min).max(max));
export const port = whole(0, 65_535);
export const yesOrNo = z
  .enum(["true", "false"])
  .default("false")
  .transform((text) => text === "true");
/** `Name <address>`, or the address alone. */
export const sender = z.string().transform((text, context) => {
  const [, name = "", address] = /^(?:([^<>"\r\n]*)<([^<>]+)>|[^<>]+)$/.exec(text.trim()) ?? [];
  const parsed = z.email().safeParse(address ?? text.trim());
  if (parsed.success) return { name: name.trim(), address: parsed.data };
  context.addIssue({ code: "custom", message: "is not like 'Name <address@host>'" });
  return z.NEVER;
});
/** An origin as browsers write it: only that form matches, and `null` means that there is none. */
export const origin = z.string().refine((text) => {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  return parsed?.origin === text && parsed.protocol.startsWith("http");
}, "is not an origin such as 'https://shop.example' (no path, no '/' at its end, no '*')");
export const cidrs = list.pipe(z.array(z.union([z.cidrv4(), z.cidrv6()])));
/** Requests per minute; 0 means no limit. */
export const perMinute = (fallback: number) => whole(0).default(fallback);
const digits = (...lengths: number[]) =>
  z
    .string()
    .regex(
      new RegExp(`^(${lengths.map((length) => `\\d{${length}}`).join("|")})$`),
      `has ${lengths.join(" or ")} digits`,
    );
/** A bank account in Russia and its owner. */
export const Payee = z.strictObject({
  name: z.string().min(1).max(160),
  inn: digits(10, 12),
  kpp: digits(9).optional(),
  account: digits(20),
  bank: z.string().min(1).max(45),
  bic: digits(9),
  correspondentAccount: digits(20),
});
/** A URL without a login: errors and links show all of it. */
export const url = z
  .url({ protocol: /^https?$/, hostname: /.*/ })
  .refine((text) => !text.includes("@"), "has a user or a password in it, which would be shown")
  .transform((text) => text.replace(/(?<!\/)\/+$/, ""));
const oddlyWritten = "has a character with a special meaning there; percent-encode user and password";
/**
 * A URL to connect to, perhaps with a login. It refuses spellings that programs split in different ways: a part of the
 * password could count as the host or the database, and be shown as that.
 */
export const connection = (protocol: RegExp) =>
  z.url({ protocol, hostname: /.*/ }).refine(isPlainlyWritten, oddlyWritten);
/** The same for Postgres, whose URLs may name several servers; refuses parameters that would have no effect. */
export const postgresConnection = z
  .string()
  .refine(isPlainlyWritten, { error: oddlyWritten, abort: true })
  .superRefine((text, context) => {
    try {
      parsePostgresUrl(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  });
function isPlainlyWritten(text: string) {
  const [, rest = ""] = /^[a-z]+:\/\/(?:[^@/?#]*@)?(.*)$/is.exec(text) ?? [];
  return !/[@\\\s\p{Cc}]/u.test(rest) && !/[\\\s\p{Cc}]|%(?![\da-f]{2})/iu.test(text);
}
/** The first part of the keys of objects, with a slash at its end. */
export const keyPrefix = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)*\/?$/, "is not like 'shop/production' (letters, digits, '_', '-' and '.')")
  .transform((text) => text.replace(/(?<!\/)$/, "/"));
/** A name or an address, not a URL. */
export const host = z.string().regex(/^[\p{L}\d._:-]+$/u, "is not the name or the address of a host");
/** OpenTelemetry's own notation: https://opentelemetry.io/docs/specs/otel/protocol/exporter/. */
export function headersOf(text: string, context: z.RefinementCtx) {
  const pairs = text.split(",").map((pair) => /^([\w!#$%&'*+.^`|~-]+)=(.*)$/.exec(pair.trim()) ?? []);
  try {
    const entries = pairs.map(([, name, value]) => {
      if (name === undefined || value === undefined) throw new URIError();
      const text = decodeURIComponent(value);
      // The HTTP client would refuse it, with the value in the message.
      if (/[^\t\x20-\x7e]/.test(text)) throw new URIError();
      return [name.toLowerCase(), text];
    });
    return Object.fromEntries(entries) as Record<string, string>;
  } catch {
    context.addIssue({ code: "custom", message: "is not like 'name=value', percent-encoded" });
    return z.NEVER;
  }
}
export const json = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: "is not JSON" });
        return z.NEVER;
      }
    });

export const signingSecret = z
  .string()
  .regex(
    /^(whsec_)?([A-Za-z0-9+/]{4}){8,}([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    "is not base64 of at least 24 bytes",
  );

/** A file with certificates in PEM, whose text is read at once; keys and comments in it are left out. */
export const certificateFile = z.string().transform((path, context) => {
  const refuse = (message: string) => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  // Another kind of setting that was put here by mistake may be a secret.
  const shown = /^[\w./-]+$/.test(path) ? path : "the file";
  try {
    const found = readFileSync(path, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (found.length === 0) return refuse(`${shown} has no certificate in PEM`);
    const broken = found.findIndex((pem) => !isCertificate(pem));
    return broken < 0 ? [...found] : refuse(`certificate ${broken + 1} in ${shown} cannot be read`);
  } catch (error) {
    return refuse(`${shown} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
});

function isCertificate(pem: string) {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
