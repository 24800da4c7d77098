import sharp from "sharp";

/** A plain red PNG. */
export function redPng(width = 8, height = 8) {
  return sharp({ create: { width, height, channels: 3, background: "red" } })
    .png()
    .toBuffer();
}
