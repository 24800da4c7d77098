import type { Content, DocumentFormat } from "../../services/documents/kinds/define-kind.ts";
import type { Cell, Layout, Rows } from "../../services/documents/kinds/layout.ts";
import { writeCsv } from "./writers/csv.ts";
import { writeDocx } from "./writers/docx.ts";
import { writePdf } from "./writers/pdf.ts";
import { writeText } from "./writers/text.ts";
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

/** Called with the number of finished rows, and the total if it is known. */
type Progress = (done: number, total: number | null) => void;

/** Rows between two reports: a sheet of paper or two. */
const step = 100;

/** The same layout, whose tables say how far they are while they are read. */
function counted(layout: Layout, progress: Progress): Layout {
  const { blocks, rowCount } = layout;
  if (rowCount === undefined) return layout;
  let done = 0;
  async function* counting(rows: Rows): AsyncGenerator<readonly Cell[]> {
    for await (const row of rows) {
      yield row;
      if (++done % step === 0) progress(done, rowCount ?? null);
    }
    progress(done, rowCount ?? null);
  }
  const heard = blocks.map((block) => (block.type === "table" ? { ...block, rows: counting(block.rows) } : block));
  return { ...layout, blocks: heard };
}
