import type { Cell, Layout, Rows } from "../../services/documents/kinds/layout.ts";

/** Called with the number of finished rows, and the total if it is known. */
export type Progress = (done: number, total: number | null) => void;

/** Rows between two reports: a sheet of paper or two. */
const step = 100;

/** The same layout, whose tables say how far they are while they are read. */
export function counted(layout: Layout, progress: Progress): Layout {
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
