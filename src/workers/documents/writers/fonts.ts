import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { resolve } = createRequire(import.meta.url);
const read = (name: string) => readFileSync(resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));

/** Fonts that know Cyrillic; files carry of them what they use. Read when the first PDF is made. */
export const fonts = {
  regular: once(() => read("DejaVuSans")),
  bold: once(() => read("DejaVuSans-Bold")),
};

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
