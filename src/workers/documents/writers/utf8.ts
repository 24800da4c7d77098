import { xmlText } from "./text.ts";

/** So many bytes are compressed at once, in a thread of their own: fewer compress worse, more hold more memory. */
const fullBytes = 256 * 1024;
/** A quarter more, since no writer stops in the middle of a row. */
const startBytes = fullBytes * 1.25;
/** Bytes of UTF-8 that a UTF-16 unit takes at most. */
const maxOfUnit = 3;
const digit0 = 48;
/** Whole numbers below are written digit by digit. */
const shortNumber = 1e9;

/** What ASCII characters become in XML: 1 is themselves, 2 is an entity, 0 wants a second look. */
const classes = new Uint8Array(0x80).fill(1, 0x20, 0x7f);
const entities = Object.fromEntries(
  ["&", "<", ">", '"', "'"].map((character) => {
    const code = character.charCodeAt(0);
    classes[code] = 2;
    return [code, Buffer.from(xmlText(character))];
  }),
);
// Excel reads `_x0041_` as a letter.
classes["_".charCodeAt(0)] = 0;
const space = 0x20;
/** UTF-16 units of which `readable` takes some away: marks, format characters, controls, surrogates, ends of lines. */
const doubtful = Uint8Array.from({ length: 0x1_0000 }, (_, unit) =>
  /[\p{M}\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffe\uffff]/u.test(String.fromCharCode(unit)) ? 1 : 0,
);

/**
 * Text as UTF-8, one piece behind the other in one buffer: a sheet of a hundred thousand rows has a million cells, and
 * a string for each of them costs more than compressing them.
 */
export class Utf8 {
  length = 0;
  private buffer = Buffer.allocUnsafe(startBytes);
  private other = Buffer.allocUnsafe(startBytes);

  /** Time to take what is there. */
  get isFull(): boolean {
    return this.length >= fullBytes;
  }

  /** All that is written so far; it stays as it is until the next call. */
  take(): Uint8Array {
    const taken = this.buffer.subarray(0, this.length);
    [this.buffer, this.other] = [this.other, this.buffer];
    this.length = 0;
    return taken;
  }

  text(text: string): void {
    this.ensureCapacity(maxOfUnit * text.length);
    this.length += this.buffer.write(text, this.length);
  }

  /** Bytes that are text already, as many of them as are short. */
  copy(bytes: Uint8Array): void {
    const { length } = bytes;
    this.ensureCapacity(length);
    const { buffer } = this;
    const at = this.length;
    for (let n = 0; n < length; n++) buffer[at + n] = bytes[n] as number;
    this.length = at + length;
  }

  /** A number as JavaScript writes it. */
  number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < shortNumber) this.digits(value);
    else this.text(String(value));
  }

  private digits(value: number) {
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.trunc(rest / 10)) digits++;
    this.ensureCapacity(digits);
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const next = Math.trunc(rest / 10);
      this.buffer[at] = digit0 + rest - 10 * next;
      rest = next;
    }
    this.length += digits;
  }

  /**
   * Text as XML takes it, when every character of it may stand there and none at its ends is a space; else nothing is
   * written and the answer is false.
   */
  plainXml(text: string): boolean {
    const { length } = text;
    if (text.charCodeAt(0) === space || text.charCodeAt(length - 1) === space) return false;
    this.ensureCapacity(maxEntityLength * length);
    let at = this.length;
    for (let n = 0; n < length; n++) {
      const unit = text.charCodeAt(n);
      const bytes = unit < 0x80 ? this.putAscii(unit, at) : this.putWide(unit, at);
      if (bytes === 0) return false;
      at += bytes;
    }
    this.length = at;
    return true;
  }

  /** How many bytes it took; 0: none, it wants a second look. */
  private putAscii(unit: number, at: number) {
    const kind = classes[unit];
    if (kind === 1) {
      this.buffer[at] = unit;
      return 1;
    }
    const entity = kind === 2 ? entities[unit] : undefined;
    entity?.copy(this.buffer, at);
    return entity?.length ?? 0;
  }

  /** The same beyond ASCII: it takes no doubtful character. */
  private putWide(unit: number, at: number) {
    const { buffer } = this;
    if (doubtful[unit] === 1) return 0;
    if (unit < 0x800) {
      buffer[at] = 0xc0 | (unit >> 6);
      buffer[at + 1] = 0x80 | (unit & 0x3f);
      return 2;
    }
    buffer[at] = 0xe0 | (unit >> 12);
    buffer[at + 1] = 0x80 | ((unit >> 6) & 0x3f);
    buffer[at + 2] = 0x80 | (unit & 0x3f);
    return 3;
  }

  private ensureCapacity(bytes: number) {
    const wanted = this.length + bytes;
    if (wanted > this.buffer.length) this.buffer = Buffer.concat([this.buffer.subarray(0, this.length)], 2 * wanted);
  }
}

const maxEntityLength = Math.max(...Object.values(entities).map(({ length }) => length));
