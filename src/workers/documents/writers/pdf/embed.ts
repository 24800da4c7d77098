import { crc32 } from "node:zlib";
import type { PdfFile, Ref } from "./file.ts";
import type { UsedFont } from "./used-font.ts";

/** Writes the part of a font that is used, with its widths and the way back to text. */
export function addFont(file: PdfFile, used: UsedFont): Ref {
  const { metrics } = used.face;
  const data = used.subset();
  const program = file.addStream(data, `/Length1 ${data.length}`);
  const glyphs = file.addStream(used.glyphMap());
  const map = file.addStream(used.toUnicode());
  const widths = used.widths();
  const name = `/${tagOf(`${used.key} ${widths}`)}+${used.face.name}`;
  const box = `/FontBBox [${metrics.box.join(" ")}]`;
  const heights = `/Ascent ${metrics.ascent} /Descent ${metrics.descent} /CapHeight ${metrics.ascent}`;
  const descriptor = file.add(
    `<< /Type /FontDescriptor /FontName ${name} /Flags 4 ${box} /ItalicAngle 0 ${heights} /StemV 80 /FontFile2 ${program} 0 R >>`,
  );
  const descendant = file.add(
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont ${name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor ${descriptor} 0 R /W [0 [${widths.join(" ")}]] /CIDToGIDMap ${glyphs} 0 R >>`,
  );
  return file.add(
    `<< /Type /Font /Subtype /Type0 /BaseFont ${name} /Encoding /Identity-H /DescendantFonts [${descendant} 0 R] /ToUnicode ${map} 0 R >>`,
  );
}

/** Six letters that tell one subset of a font from another (PDF 32000-1, 9.6.4). */
function tagOf(content: string) {
  let number = crc32(content) % 308_915_776;
  let tag = "";
  for (let n = 0; n < 6; n++) {
    tag += String.fromCharCode(65 + (number % 26));
    number = Math.floor(number / 26);
  }
  return tag;
}
