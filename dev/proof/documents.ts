import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import sharp from "sharp";
import type { DataSource } from "typeorm";
import { createDataSource } from "../../src/db/data-source.ts";
import type { ObjectStore } from "../../src/platform/object-store.ts";
import { type DocumentKind, documentKinds, namesOf, sourceOf } from "../../src/services/documents/kinds/index.ts";
import { renderContent } from "../../src/workers/documents/render.ts";
import { loadDemo } from "../demo/load.ts";
import { removePostgres, startPostgres } from "../services/postgres.ts";
import { demoPayee } from "../stack/demo-payee.ts";

// Makes every document in every format from the demo data, and a sheet of how they look: npx tsx dev/proof/documents.ts
// [folder]. The sheet needs LibreOffice and poppler (Debian: libreoffice-calc libreoffice-writer poppler-utils).

const [folder = join(tmpdir(), "tcf-documents")] = process.argv.slice(2);
const shop = { payee: demoPayee, publicUrl: (key: string) => `https://pictures.example/${key}` };
/** Of PDFs the second page shows that heads are repeated. */
const shownPages = (name: string) => (name.endsWith(".pdf") ? 2 : 1);
const pageWidth = 620;
const perRow = 6;

/** The demo's pictures are of no use here. */
const nowhere = {
  async put(_key: string, body: Buffer | Readable) {
    if (!Buffer.isBuffer(body)) await text(body);
  },
  async remove() {},
} as unknown as ObjectStore;

mkdirSync(folder, { recursive: true });
const files = await withDemo(async (db) => {
  const made: string[] = [];
  for (const [name, kind] of await wanted(db)) made.push(await make(db, name, kind));
  return made;
});
console.log(`${files.length} documents in ${folder}`);
await drawSheet(files);

async function withDemo<T>(use: (db: DataSource) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "tcf-proof-"));
  chmodSync(directory, 0o755);
  const dataDirectory = join(directory, "postgres");
  const postgres = await startPostgres({ dataDirectory, fast: true, password: "proof" });
  try {
    const db = await createDataSource(postgres.url, 4).initialize();
    await db.runMigrations();
    await loadDemo(db, nowhere, "small");
    return await use(db).finally(() => db.destroy());
  } finally {
    await postgres.stop();
    removePostgres(dataDirectory);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Each kind in each of its formats; of orders the one with most lines, of waybills one of each type. */
async function wanted(db: DataSource): Promise<[name: string, kind: DocumentKind][]> {
  const idOf = async (table: string, lines: string, owner: string, condition: string): Promise<string> => {
    const [row] = await db.query(
      `SELECT ${table}.id FROM ${table} JOIN ${lines} line ON line.${owner} = ${table}.id WHERE ${condition}
       GROUP BY ${table}.id ORDER BY count(*) DESC, ${table}.id LIMIT 1`,
    );
    return row.id;
  };
  const order = await idOf("orders", "order_offers", "order_id", "true");
  const waybills = await Promise.all(
    ["OUT", "IN", "RETURN"].map(async (type) => {
      const condition = `waybill_type = 'WAYBILL_${type}'`;
      return [
        `waybill-${type.toLowerCase()}`,
        await idOf("waybills", "waybill_offers", "waybill_id", condition),
      ] as const;
    }),
  );
  const [{ day }] = await db.query("SELECT max(committed_at)::date::text AS day FROM waybills");
  const from = new Date(Date.parse(day) - 29 * 24 * 3_600_000).toISOString().slice(0, 10);
  const parameters: Record<(typeof documentKinds)[number]["kind"], (readonly [name: string, parameters: object])[]> = {
    order: [["order", { id: order }]],
    invoice: [["invoice", { id: order }]],
    waybill: waybills.map(([name, id]) => [name, { id }]),
    "price-list": ["retail", "wholesale"].map((type) => [`price-list-${type}`, { type, day }]),
    "stock-report": [["stock-report", { day }]],
    "sales-report": [["sales-report", { from, to: day }]],
    feed: [["feed", {}]],
  };
  return documentKinds.flatMap(({ kind, formats }) =>
    parameters[kind].flatMap(([name, one]) =>
      formats.map((format) => [name, { kind, format, parameters: one } as DocumentKind] as [string, DocumentKind]),
    ),
  );
}

function make(db: DataSource, name: string, kind: DocumentKind): Promise<string> {
  return db.transaction("REPEATABLE READ", async (tx) => {
    const { content } = await sourceOf(tx, kind, shop);
    const chunks: Uint8Array[] = [];
    for await (const chunk of renderContent(await content(), kind.format, () => undefined)) chunks.push(chunk);
    const file = join(folder, `${name}.${kind.format}`);
    writeFileSync(file, Buffer.concat(chunks));
    console.log(file, namesOf(kind).shown);
    return file;
  });
}

/** The first pages of all documents, side by side, as poppler and LibreOffice show them. */
async function drawSheet(all: readonly string[]) {
  if (spawnSync("soffice", ["--version"]).error ?? spawnSync("pdftoppm", ["-v"]).error)
    return console.log("LibreOffice or poppler is not installed: no sheet");
  const pages = join(folder, "pages");
  rmSync(pages, { recursive: true, force: true });
  mkdirSync(pages);
  const office = all.filter((file) => /\.(docx|xlsx)$/.test(file));
  for (const file of office) {
    const to = join(pages, file.endsWith("docx") ? "docx" : "xlsx");
    // One that is open on this machine would take the work, or the profile.
    const profile = `-env:UserInstallation=file://${join(pages, "profile")}`;
    execFileSync("soffice", [profile, "--headless", "--convert-to", "pdf", "--outdir", to, file], { stdio: "ignore" });
  }
  const paths = all.flatMap((file) => {
    const [name = "", format = ""] = file.slice(folder.length + 1).split(".");
    const pdf = format === "pdf" ? file : join(pages, format, `${name}.pdf`);
    return format === "csv" || format === "xml" ? [] : [[`${name}.${format}`, pdf] as const];
  });
  for (const [name, pdf] of paths)
    execFileSync("pdftoppm", ["-r", "100", "-l", String(shownPages(name)), "-png", pdf, join(pages, name)]);
  const images = readdirSync(pages)
    .filter((name) => name.endsWith(".png"))
    .sort();
  await compose(images.map((name) => join(pages, name)));
}

async function compose(images: readonly string[]) {
  const shown = await Promise.all(
    images.map(async (path) => {
      const page = sharp(path).resize({ width: pageWidth, height: Math.round(pageWidth * Math.SQRT2), fit: "inside" });
      const title = path.slice(path.lastIndexOf("/") + 1).replace(/\.png$/, "");
      return { title, picture: await page.png().toBuffer() };
    }),
  );
  const [width, height] = [pageWidth + 12, Math.ceil(pageWidth * Math.SQRT2) + 32];
  const layers = shown.flatMap(({ title, picture }, n) => {
    const [left, top] = [(n % perRow) * width + 6, Math.floor(n / perRow) * height];
    const words = `<svg width="${pageWidth}" height="24"><text y="18" font-family="sans-serif" font-size="18" fill="white">${title}</text></svg>`;
    return [
      { input: Buffer.from(words), left, top: top + 2 },
      { input: picture, left, top: top + 28 },
    ];
  });
  const size = { width: perRow * width, height: Math.ceil(shown.length / perRow) * height };
  const sheet = sharp({ create: { ...size, channels: 3, background: "#555" } }).composite(layers);
  await sheet.png({ palette: true, colours: 16 }).toFile(join(folder, "documents.png"));
  console.log(join(folder, "documents.png"));
}
