import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport, type SendMailOptions } from "nodemailer";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Mailbox, type MailboxOptions, startMailbox } from "../../dev/mailbox/mailbox.ts";
import type { ReceivedMail } from "../support/mailbox.ts";

interface Message extends ReceivedMail {
  attachments: { file_name: string; content_type: string; size: number; url: string }[];
}

describe("the mailbox", () => {
  let directory: string;
  let mailbox: Mailbox;
  const running: Mailbox[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "mailbox-"));
  });

  beforeEach(async () => {
    mailbox = await start();
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.stop()));
  });

  afterAll(() => rm(directory, { recursive: true }));

  async function start(options: Partial<MailboxOptions> = {}): Promise<Mailbox> {
    const started = await startMailbox({ smtpPort: 0, httpPort: 0, ...options });
    running.push(started);
    return started;
  }

  async function send(mail: SendMailOptions, to = mailbox): Promise<string> {
    const transport = createTransport(to.smtpUrl);
    const usual = { from: "shop@example.com", to: "anna@example.com", subject: "Hello", text: "Hello" };
    const { messageId } = await transport.sendMail({ ...usual, ...mail });
    transport.close();
    return messageId;
  }

  const open = (path: string, from = mailbox) => fetch(from.pageUrl + path);
  const page = async (path: string) => (await open(path)).text();
  const list = async (query = "", from = mailbox): Promise<Message[]> =>
    (await (await open(`/api/messages${query}`, from)).json()) as Message[];

  async function newest(): Promise<Message> {
    const [summary] = await list();
    return (await (await open(`/api/messages/${summary?.id}`)).json()) as Message;
  }

  it("shows how to send a first mail as long as there is none", async () => {
    const empty = await page("/");
    expect(empty).toContain("No mail yet");
    expect(empty).toContain(`curl ${mailbox.smtpUrl}`);
    expect(await list()).toEqual([]);
  });

  it("keeps Cyrillic subjects and texts, attachments and their names", async () => {
    const content = Buffer.from([0, 255, 13, 10, 46, 13, 10]);
    await send({
      from: '"Магазин" <shop@example.com>',
      subject: "Прайс-лист на ноябрь",
      text: "Добрый день!\n.\nточка в начале строки",
      attachments: [{ filename: "прайс (лист).bin", content }],
    });
    const mail = await newest();
    expect(mail).toMatchObject({ from: '"Магазин" <shop@example.com>', subject: "Прайс-лист на ноябрь" });
    expect(mail.text).toContain("Добрый день!\n.\nточка");
    const [attachment] = mail.attachments;
    expect(attachment).toMatchObject({ file_name: "прайс (лист).bin", size: content.length });
    const download = await open(attachment?.url ?? "");
    expect(Buffer.from(await download.arrayBuffer())).toEqual(content);
    expect(download.headers.get("content-disposition")).toBe(
      `attachment; filename*=UTF-8''${encodeURIComponent("прайс ")}%28${encodeURIComponent("лист")}%29.bin`,
    );
    expect(await page("/")).toContain("Прайс-лист на ноябрь");
    expect(await page(`/messages/${mail.id}`)).toContain("Магазин");
  });

  it("escapes everything that comes from a mail", async () => {
    const hostile = `"><script>alert(1)</script>&<img src=x onerror='alert(2)'>`;
    await send({
      from: { name: hostile, address: "shop@example.com" },
      subject: hostile,
      text: hostile,
      headers: { "X-Hostile": hostile },
      attachments: [{ filename: hostile, content: "x" }],
    });
    const { id, subject } = await newest();
    expect(subject).toBe(hostile);
    for (const path of ["/", `/messages/${id}`]) {
      const source = await page(path);
      expect(source).toContain("&#60;script&#62;alert(1)");
      expect(source).not.toContain("<script>");
      expect(source).not.toMatch(/<img/);
    }
  });

  it("shows HTML only in a sandboxed frame under a policy that allows no script", async () => {
    await send({ html: `<b id="bold">Hello</b><script>parent.document.title = "mine"</script>` });
    const { id } = await newest();
    const around = await page(`/messages/${id}`);
    expect(around).not.toContain(`<b id="bold">`);
    const frame = /<iframe[^>]*>/.exec(around)?.[0];
    expect(frame).toContain(`src="/messages/${id}/html"`);
    expect(frame).toMatch(/sandbox="allow-popups allow-popups-to-escape-sandbox"/);
    const inside = await open(`/messages/${id}/html`);
    expect(await inside.text()).toContain(`<b id="bold">`);
    const policy = inside.headers.get("content-security-policy");
    expect(policy).toMatch(/^sandbox /);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/script|allow-same-origin/);
  });

  it("never lets a browser open an attachment as a page", async () => {
    await send({ attachments: [{ filename: "x.html", content: "<script>1</script>", contentType: "text/html" }] });
    const response = await open((await newest()).attachments[0]?.url ?? "");
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(response.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("shows embedded images", async () => {
    const image = Buffer.from("R0lGODlhAQABAAAAACw=", "base64");
    await send({ html: `<img src="cid:logo">`, attachments: [{ filename: "l.gif", content: image, cid: "logo" }] });
    expect(await page(`/messages/${(await newest()).id}/html`)).toContain(`src="data:image/gif;base64,R0lGODlh`);
  });

  it("lists mails newest first, and by recipient whatever the case, blind copies too", async () => {
    await send({ to: "Anna@example.com", subject: "first" });
    await send({ to: "boris@example.com", bcc: "anna@example.com", subject: "second" });
    await send({ to: "joanna@example.com", subject: "third" });
    expect((await list()).map(({ subject }) => subject)).toEqual(["third", "second", "first"]);
    const mine = await list("?recipient=anna@EXAMPLE.com");
    expect(mine.map(({ subject }) => subject)).toEqual(["second", "first"]);
    expect(mine[0]?.recipients).toEqual(["boris@example.com", "anna@example.com"]);
  });

  it("tells whether and how often a message was delivered", async () => {
    const messageId = await send({ messageId: "<order-1@example.com>" });
    const has = async (id: string) => (await open(`/api/has?message_id=${encodeURIComponent(id)}`)).json();
    expect(await has(messageId)).toEqual({ has: true, count: 1 });
    await send({ messageId });
    expect(await has("order-1@example.com")).toEqual({ has: true, count: 2 });
    expect(await has("order-2@example.com")).toEqual({ has: false, count: 0 });
  });

  it("takes a user name and a password but wants none", async () => {
    const transport = createTransport({ port: Number(new URL(mailbox.smtpUrl).port), auth: { user: "a", pass: "b" } });
    await transport.sendMail({ from: "a@example.com", to: "b@example.com", text: "Hello" });
    expect(await list()).toHaveLength(1);
  });

  it("forgets all mails when told to", async () => {
    const kept = await start({ directory: join(directory, "cleared") });
    await send({}, kept);
    expect((await fetch(`${kept.pageUrl}/api/messages`, { method: "DELETE" })).status).toBe(204);
    expect(await list("", kept)).toEqual([]);
    expect(await readdir(join(directory, "cleared"))).toEqual([]);
  });

  it("shows the mails of before a restart again, byte for byte", async () => {
    const folder = join(directory, "kept");
    const before = await start({ directory: folder });
    await send({ subject: "Прежнее", bcc: "hidden@example.com" }, before);
    const [mail] = await list("", before);
    const source = await (await open(`/messages/${mail?.id}/raw`, before)).text();
    await before.stop();
    running.splice(running.indexOf(before), 1);
    const after = await start({ directory: folder });
    expect(await list("", after)).toEqual([mail]);
    expect(await (await open(`/messages/${mail?.id}/raw`, after)).text()).toBe(source);
    expect(await list("?recipient=hidden@example.com", after)).toHaveLength(1);
  });

  it("keeps the newest 1,000 mails", async () => {
    const folder = join(directory, "many");
    const many = await start({ directory: folder });
    const transport = createTransport({ url: many.smtpUrl, pool: true, maxMessages: Number.POSITIVE_INFINITY });
    const mails = Array.from({ length: 1003 }, (_, index) => ({ subject: `Mail ${index + 1}` }));
    for (const mail of mails) {
      await transport.sendMail({ ...mail, from: "a@example.com", to: "b@example.com", text: "Hello" });
    }
    transport.close();
    const subjects = (await list("", many)).map(({ subject }) => subject);
    expect(subjects).toHaveLength(1000);
    expect(subjects[0]).toBe("Mail 1003");
    expect(subjects.at(-1)).toBe("Mail 4");
    expect(await readdir(folder)).toHaveLength(1000);
  });

  it("answers 404 for what it does not have", async () => {
    for (const path of ["/nothing", "/messages/x", "/messages/..%2f..%2fx/raw", "/api/messages/x", "/api/x"]) {
      expect((await open(path)).status, path).toBe(404);
    }
    await send({});
    expect((await open(`/messages/${(await newest()).id}/attachments/0`)).status).toBe(404);
  });

  it("leaves nothing running when one of its ports is taken", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const taken = Number(new URL(mailbox.pageUrl).port);
    const smtpPort = (blocker.address() as { port: number }).port;
    blocker.close();
    await once(blocker, "close");
    await expect(start({ smtpPort, httpPort: taken })).rejects.toThrow(`Port ${taken} is taken by another program`);
    await expect(start({ smtpPort: taken })).rejects.toThrow(`Port ${taken} is taken by another program`);
    expect(new URL((await start({ smtpPort })).smtpUrl).port).toBe(String(smtpPort));
  });

  it("refuses mails of more than 25 MB without keeping them", async () => {
    const attachments = [{ filename: "big.bin", content: Buffer.alloc(20 * 1024 * 1024) }];
    await expect(send({ attachments })).rejects.toMatchObject({ responseCode: 552 });
    expect(await list()).toEqual([]);
  });
});
