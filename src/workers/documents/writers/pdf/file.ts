import { deflateSync } from "node:zlib";

/** Number of an object, as others refer to it. */
export type Ref = number;

/** Bytes from which on it pays to compress. */
const shortest = 1_200;

/** A PDF while it is written: objects go out as they are made, and only where they are is kept. */
export class PdfFile {
  private readonly offsets: number[] = [];
  private waiting: Buffer[] = [];
  private offset = 0;

  constructor() {
    // Bytes beyond ASCII tell programs that the file is none of text.
    this.put(Buffer.from("%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n", "latin1"));
  }

  /** A number for an object that is written later. */
  reserve(): Ref {
    return this.offsets.push(0);
  }

  add(dictionary: string, ref = this.reserve()): Ref {
    this.begin(ref);
    this.put(Buffer.from(`${dictionary}\nendobj\n`, "latin1"));
    return ref;
  }

  /** An object with content, which is compressed unless it is short. */
  addStream(content: string | Buffer, dictionary = "", ref = this.reserve()): Ref {
    const plain = typeof content === "string" ? Buffer.from(content, "latin1") : content;
    const isShort = plain.length < shortest;
    const packed = isShort ? plain : deflateSync(plain);
    this.begin(ref);
    const entries = `/Length ${packed.length}${isShort ? "" : " /Filter /FlateDecode"}${dictionary && ` ${dictionary}`}`;
    this.put(Buffer.from(`<< ${entries} >>\nstream\n`, "latin1"), packed, Buffer.from("\nendstream\nendobj\n"));
    return ref;
  }

  /** The end of the file; nothing can be added any more. */
  end(catalog: Ref, info: Ref) {
    const start = this.offset;
    const lines = this.offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`);
    const count = this.offsets.length + 1;
    const trailer = `trailer\n<< /Size ${count} /Root ${catalog} 0 R /Info ${info} 0 R >>\nstartxref\n${start}\n%%EOF\n`;
    this.put(Buffer.from(`xref\n0 ${count}\n0000000000 65535 f \n${lines.join("")}${trailer}`, "latin1"));
  }

  /** What was written since the last call. */
  take(): Buffer[] {
    const taken = this.waiting;
    this.waiting = [];
    return taken;
  }

  private begin(ref: Ref) {
    this.offsets[ref - 1] = this.offset;
    this.put(Buffer.from(`${ref} 0 obj\n`, "latin1"));
  }

  private put(...bytes: Buffer[]) {
    for (const one of bytes) this.offset += one.length;
    this.waiting.push(...bytes);
  }
}

/** A text of the document's own description, in UTF-16 with its mark. */
export function pdfText(text: string): string {
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le").swap16();
  return `<${bytes.toString("hex")}>`;
}

/** A moment, as PDF writes it. */
export function pdfTime(at: Date): string {
  return `(D:${at.toISOString().replace(/\D/g, "").slice(0, 14)}Z)`;
}
