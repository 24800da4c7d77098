/** Pieces of text as a file in UTF-8. */
export async function* writeText(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece);
}
