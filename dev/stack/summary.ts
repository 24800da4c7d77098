import { demoUsers } from "../demo/users.ts";
import { claimsOf } from "../identity/identity.ts";
import { paint } from "./console.ts";
import { type Bucket, withoutPassword } from "./given-servers.ts";
import type { Secrets } from "./secrets.ts";
import type { CardService, Identity, Smtp } from "./servers.ts";

/** What `stack.json` says; `null` where a server that is not ours stands in. */
export interface StackFile {
  api: string;
  docs: string;
  bullBoard: string;
  mailbox: string | null;
  payments: string | null;
  s3: { endpoint: string; bucket: string; publicUrl: string };
  databaseUrl: string;
  /** DATABASE_POOLER and DATABASE_DIRECT_URL, where they were given. */
  databaseSettings: Record<string, string>;
  /** Null where variables of the person's own name it. */
  redisUrl: string | null;
  smtp: string;
  tokens: { admin: string; employee: string; user: string } | null;
  apiKey: string;
  webhookSecret: string;
  pids: Record<string, number>;
}

export interface Addresses {
  api: string;
  databaseUrl: string;
  redisUrl: string | undefined;
  s3: Bucket;
  smtp: Smtp;
  identity: Identity;
  cards: CardService | undefined;
  secrets: Secrets;
}

const month = 30 * 24 * 3600;

/** Puts together where everything is, and signs the demo tokens. */
export async function describe(addresses: Addresses): Promise<Omit<StackFile, "pids">> {
  const { api, databaseUrl, redisUrl, s3, smtp, identity, cards, secrets } = addresses;
  return {
    api,
    docs: `${api}/docs`,
    bullBoard: `${api}/admin/queues`,
    mailbox: smtp.mailbox ?? null,
    payments: cards?.pageUrl ?? null,
    s3: { endpoint: s3.endpoint, bucket: s3.bucket, publicUrl: s3.publicUrl },
    databaseUrl,
    databaseSettings: databaseSettings(),
    redisUrl: redisUrl ?? null,
    smtp: `smtp://${smtp.host}:${smtp.port}`,
    tokens: await signTokens(identity),
    apiKey: secrets.apiKey,
    webhookSecret: secrets.webhookSecret,
  };
}

function databaseSettings() {
  const { DATABASE_POOLER, DATABASE_DIRECT_URL } = process.env;
  return { ...(DATABASE_POOLER && { DATABASE_POOLER }), ...(DATABASE_DIRECT_URL && { DATABASE_DIRECT_URL }) };
}

/** Gives the text that tells people where everything is and what to try first. */
export function summary(stack: Omit<StackFile, "pids">, stackFile: string): string {
  const rows = [
    ["API", stack.api],
    ["Docs", stack.docs],
    ["Bull Board", stack.bullBoard],
    ["Mailbox", stack.mailbox ?? stack.smtp],
    ...(stack.payments ? [["Card payments", stack.payments]] : []),
    ["S3", `${stack.s3.publicUrl}/`],
    ["PostgreSQL", withoutPassword(stack.databaseUrl)],
    ["Redis", stack.redisUrl === null ? "as your variables say" : withoutPassword(stack.redisUrl)],
    ["As JSON", stackFile],
    ...Object.entries(stack.tokens ?? {}).map(([role, token]) => [`Token ${role}`, token]),
  ].map(([name = "", value = ""]) => `  ${paint("bold", name.padEnd(15))} ${value}`);
  return ["", ...rows, "", ...example(stack, stackFile), ""].join("\n");
}

function example({ api, tokens }: Omit<StackFile, "pids">, stackFile: string): string[] {
  if (!tokens) return ["  Tokens come from your own issuer (BETTER_AUTH_URL)."];
  return [
    "  Try it, with a photo of yours:",
    "",
    `  TOKEN=$(node -p 'require("${stackFile}").tokens.employee')`,
    `  curl -F name="Oil filters" -F image_blob=@photo.jpg -H "Prefer: wait=5" \\`,
    `    -H "Authorization: Bearer $TOKEN" \\`,
    `    ${api}/categories`,
    "",
    "  Ctrl-C stops everything; the data stays.",
  ];
}

async function signTokens({ sign }: Identity): Promise<StackFile["tokens"]> {
  if (!sign) return null;
  const tokenOf = (role: (typeof demoUsers)[number]["role"]) => {
    const user = demoUsers.find((one) => one.role === role);
    if (!user) throw new Error(`There is no demo user with role ${role}`);
    return sign(claimsOf(user), { expiresInSeconds: month });
  };
  const [admin, employee, user] = await Promise.all([tokenOf("ADMIN"), tokenOf("EMPLOYEE"), tokenOf("USER")]);
  return { admin, employee, user };
}
