import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { afterAll } from "vitest";

const run = promisify(execFile);
/** LibreOffice takes seconds to start, more of them on a busy machine. */
export const officeMs = 120_000;

const isThere = (program: string) => spawnSync(program, ["--version"]).error === undefined;

/** Programs that check ours from outside, where they are installed; tests that need one are skipped elsewhere. */
export const readers = {
  soffice: isThere("soffice"),
  pdftotext: isThere("pdftotext"),
  pdftoppm: isThere("pdftoppm"),
  xmllint: isThere("xmllint"),
};

/** A folder for documents that other programs read; removed at the end, with the profiles of LibreOffice. */
export function useFolder() {
  const folder = mkdtempSync(join(tmpdir(), "tcf-readers-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes files; returns where they are. */
  async function put(files: Record<string, Uint8Array>): Promise<string[]> {
    const paths = Object.keys(files).map((name) => join(folder, name));
    await Promise.all(Object.values(files).map((bytes, n) => writeFile(String(paths[n]), bytes)));
    return paths;
  }

  /**
   * Has LibreOffice open files and save them as another format; gives what it saved, by name. Throws what it said when a
   * file is missing: it ends with 0 even then.
   */
  async function resave(paths: readonly string[], format: string, from?: string): Promise<Record<string, Buffer>> {
    const to = mkdtempSync(join(folder, "saved-"));
    // With a profile in use it would hand the work to the process that has it, and that may be ending.
    const profile = `-env:UserInstallation=file://${mkdtempSync(join(folder, "profile-"))}`;
    const filter = from === undefined ? [] : [`--infilter=${from}`];
    const wanted = ["--headless", ...filter, "--convert-to", format, "--outdir", to];
    const { stdout, stderr } = await run("soffice", [profile, ...wanted, ...paths], {
      timeout: officeMs,
      // The sheet's name is part of the file's: without a locale that has its letters nothing is saved.
      env: { ...process.env, HOME: folder, LC_ALL: "C.UTF-8" },
    });
    const saved = await contentOf(to);
    if (Object.keys(saved).length >= paths.length) return saved;
    throw new Error(`LibreOffice saved ${Object.keys(saved).join(", ") || "nothing"}:\n${stdout}\n${stderr}`);
  }

  /** What xmllint has against the XML in these files, or of the XML parts of Office files; nothing if well-formed. */
  async function complaints(files: Record<string, Uint8Array>): Promise<string> {
    const parts = Object.entries(files).flatMap(([name, bytes]): [string, Uint8Array][] => {
      if (!/\.(docx|xlsx)$/.test(name)) return [[name, bytes]];
      const inner = Object.entries(unzipSync(bytes)).filter(([part]) => /\.(xml|rels)$/.test(part));
      return inner.map(([part, content]) => [`${name}-${part.replaceAll("/", "-")}`, content]);
    });
    const paths = await put(Object.fromEntries(parts));
    const { stderr } = await run("xmllint", ["--noout", "--nonet", ...paths]).catch((error) => error);
    return stderr;
  }

  /** The pages of a PDF as PNGs with so many dots an inch. */
  async function pages(path: string, dpi: number): Promise<Buffer[]> {
    const to = mkdtempSync(join(folder, "pages-"));
    await run("pdftoppm", ["-r", String(dpi), "-png", path, join(to, "page")]);
    return Object.values(await contentOf(to));
  }

  return { put, resave, complaints, pages };
}

async function contentOf(folder: string): Promise<Record<string, Buffer>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))])));
}

/** The text of a PDF as poppler finds it: as it was written, or line by line as it is seen. */
export async function pdfText(path: string, order: "raw" | "layout" = "raw"): Promise<string> {
  return (await run("pdftotext", [`-${order}`, "-enc", "UTF-8", path, "-"])).stdout;
}
