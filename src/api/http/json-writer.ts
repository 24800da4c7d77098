import { jsonBytes } from "../../platform/cache.ts";
import type { PageQuery } from "./paging.ts";

/** Builds JSON as bytes, from texts and from parts that are bytes already. */
export interface JsonWriter {
  text(part: string): void;
  comma(): void;
  bytes(part: Buffer): void;
}

/** Writes one item of a list. */
export type WriteItem<Item> = (writer: JsonWriter, item: Item) => void;

/** The shared buffer of writers, one after the other: new memory of this size would cost more than the writing. */
let scratch = Buffer.allocUnsafeSlow(1024 * 1024);

/** The bytes that `write` writes; it must not keep the writer after it returns. */
function serialize(write: (writer: JsonWriter) => void): Buffer {
  let length = 0;
  const ensureCapacity = (more: number) => {
    if (length + more <= scratch.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (length + more));
    scratch.copy(larger, 0, 0, length);
    scratch = larger;
  };
  write({
    text(part) {
      ensureCapacity(3 * part.length);
      length += scratch.write(part, length);
    },
    comma() {
      ensureCapacity(1);
      scratch[length++] = 0x2c;
    },
    bytes(part) {
      ensureCapacity(part.length);
      length += part.copy(scratch, length);
    },
  });
  return Buffer.from(scratch.subarray(0, length));
}

/** Items with commas between them, as JSON. */
export function jsonItems<Item>(items: readonly Item[], write: WriteItem<Item>): Buffer {
  return serialize((writer) => writeItems(writer, items, write));
}

/** As `toPage`, as JSON. */
export function jsonPage<Item>(
  items: readonly Item[],
  total: number,
  query: PageQuery,
  write: WriteItem<Item>,
): object {
  const page = serialize((writer) => {
    writer.text(pageStart);
    writeItems(writer, items, write);
    writer.text(pageEnd(total, query));
  });
  return jsonBytes(page);
}

/** A bare array, as JSON. */
export function jsonArray<Item>(items: readonly Item[], write: WriteItem<Item>): object {
  const array = serialize((writer) => {
    writer.text("[");
    writeItems(writer, items, write);
    writer.text("]");
  });
  return jsonBytes(array);
}

/** The JSON before the items of a page. */
export const pageStart = '{"items":[';

/** The JSON after the items of a page. */
export function pageEnd(total: number, { page, size }: PageQuery) {
  return `],"total":${total},"page":${page},"size":${size},"pages":${Math.ceil(total / size)}}`;
}

function writeItems<Item>(writer: JsonWriter, items: readonly Item[], write: WriteItem<Item>) {
  for (const [index, item] of items.entries()) {
    if (index > 0) writer.comma();
    write(writer, item);
  }
}
