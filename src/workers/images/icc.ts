/** Red, green and blue of sRGB as ICC profiles store them: XYZ, adapted to D50 (ICC registry, sRGB IEC61966-2.1). */
const srgbColorants: Record<string, readonly number[]> = {
  rXYZ: [0.4361, 0.2225, 0.0139],
  gXYZ: [0.3851, 0.7169, 0.0971],
  bXYZ: [0.1431, 0.0606, 0.7141],
};

/** Profiles round their numbers differently; the nearest other space (Display P3) is ten times further away. */
const colorantTolerance = 0.004;
/** One step of 8 bits, which is invisible; a pure gamma of 2.2 differs by seven in the dark. */
const curveTolerance = 1 / 255;

/**
 * Tells whether an ICC profile is equal to sRGB, so that the conversion may be skipped.
 *
 * Checks the numbers, not the name, which any program may write. In doubt, and for damaged bytes, the answer is no:
 * that only costs the conversion. Never throws; may be repeated.
 */
export function isSrgbProfile(profile: Buffer): boolean {
  try {
    if (profile.toString("latin1", 16, 20) !== "RGB ") return false;
    const tags = readTags(profile);
    // A table overrides the colorants, and only the conversion can evaluate it.
    if (tags.has("A2B0")) return false;
    return (
      Object.entries(srgbColorants).every(([name, expected]) => isColorant(tags.get(name), expected)) &&
      ["rTRC", "gTRC", "bTRC"].every((name) => isSrgbCurve(tags.get(name)))
    );
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function readTags(profile: Buffer): Map<string, Buffer> {
  const tags = new Map<string, Buffer>();
  const count = Math.min(profile.readUInt32BE(128), 100);
  for (let at = 132; at < 132 + count * 12; at += 12) {
    const start = profile.readUInt32BE(at + 4);
    tags.set(profile.toString("latin1", at, at + 4), profile.subarray(start, start + profile.readUInt32BE(at + 8)));
  }
  return tags;
}

function isColorant(tag: Buffer | undefined, expected: readonly number[]): boolean {
  if (tag === undefined) return false;
  return expected.every((value, i) => Math.abs(readFixed(tag, 8 + i * 4) - value) <= colorantTolerance);
}

function isSrgbCurve(tag: Buffer | undefined): boolean {
  if (tag === undefined) return false;
  return [0.1, 0.25, 0.5, 0.75, 0.9].every((x) => Math.abs(linearToSrgb(curveAt(tag, x)) - x) <= curveTolerance);
}

/** NaN for an unknown kind of curve. */
function curveAt(tag: Buffer, x: number): number {
  const type = tag.toString("latin1", 0, 4);
  if (type === "curv") return tableAt(tag, x);
  if (type === "para" && tag.readUInt16BE(8) === 3) {
    const [g = 0, a = 0, b = 0, c = 0, d = 0] = [12, 16, 20, 24, 28].map((at) => readFixed(tag, at));
    return x >= d ? (a * x + b) ** g : c * x;
  }
  return Number.NaN;
}

function tableAt(tag: Buffer, x: number): number {
  const count = tag.readUInt32BE(8);
  if (count === 0) return x;
  if (count === 1) return x ** (tag.readUInt16BE(12) / 256);
  const position = x * (count - 1);
  const low = Math.floor(position);
  const [from, to] = [low, Math.min(low + 1, count - 1)].map((i) => tag.readUInt16BE(12 + i * 2) / 65_535);
  return from === undefined || to === undefined ? Number.NaN : from + (to - from) * (position - low);
}

function linearToSrgb(x: number): number {
  return x <= 0.0031308 ? x * 12.92 : 1.055 * x ** (1 / 2.4) - 0.055;
}

function readFixed(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) / 65_536;
}
