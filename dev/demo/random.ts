/** A source of chance that repeats itself for the same seed. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number;
  /** True in `probability` of all cases. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Around 0, with deviation 1. */
  normal(): number;
  /** A copy in another order. */
  shuffle<T>(items: readonly T[]): T[];
  /** A version 4 UUID as RFC 9562 wants it. */
  uuid(): string;
}

/** Makes a source of chance (xoshiro128**); never for secrets. */
export function createRandom(seed: number): Random {
  const word = xoshiro(seed);
  const next = () => word() / 2 ** 32;
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));

  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick(items) {
      const item = items[int(0, items.length - 1)];
      if (item === undefined) throw new Error("Nothing to pick from");
      return item;
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle<T>(items: readonly T[]) {
      const keyed = items.map((item): [number, T] => [next(), item]);
      return keyed.sort(([a], [b]) => a - b).map(([, item]) => item);
    },
    uuid() {
      const bytes = Buffer.alloc(16);
      for (let offset = 0; offset < 16; offset += 4) bytes.writeUInt32LE(word(), offset);
      bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x40;
      bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80;
      return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
  };
}

function xoshiro(seed: number) {
  const state = new Uint32Array(4).map((_, index) => scramble(seed + Math.imul(index + 1, 0x9e3779b9)));
  return () => {
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    state.set([a ^ d ^ b, b ^ c ^ a, c ^ a ^ (b << 9), rotate(d ^ b, 11)]);
    return result;
  };
}

function rotate(word: number, by: number) {
  return (word << by) | (word >>> (32 - by));
}

function scramble(word: number) {
  const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
}
