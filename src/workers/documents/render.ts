import type { Content, DocumentFormat } from "../../services/documents/kinds/define-kind.ts";
import type { Layout } from "../../services/documents/kinds/layout.ts";
import { counted, type Progress } from "./counted.ts";
import { writeCsv } from "./writers/csv.ts";
import { writeDocx } from "./writers/docx.ts";
import { writePdf } from "./writers/pdf.ts";
import { writeText } from "./writers/text-file.ts";
import { writeXlsx } from "./writers/xlsx.ts";

export type Bytes = AsyncIterable<Uint8Array>;

const writers = { docx: writeDocx, xlsx: writeXlsx, pdf: writePdf, csv: writeCsv } satisfies Record<
  Exclude<DocumentFormat, "xml" | "json">,
  (layout: Layout) => Bytes
>;

/** The bytes of a document as they are made; `progress` hears of its rows. */
export function renderContent(content: Content, format: DocumentFormat, progress: Progress): Bytes {
  if ("text" in content) return writeText(content.text);
  if (format === "xml" || format === "json") throw new TypeError(`A layout cannot be written as ${format}`);
  return writers[format](counted(content, progress));
}
