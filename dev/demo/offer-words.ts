import type { Random } from "./random.ts";
import { brandNames, brandSuffixes, notes } from "./words.ts";

const patterns = ["## ### ##-##", "AA#-####-A", "#.###.###.###", "A## ### ###", "AAA####", "####-#####", "##A ###.##"];
const letters = [..."ABCDEFGHJKLMNPRSTUVWXYZ"];
const separators = [", ", "; ", " / ", " ", ","];

/** Makes what stands in the columns of an offer (and in those of a product that look alike). */
export function createOfferWords(random: Random) {
  const number = (pattern: string) =>
    pattern.replace(/[A#]/g, (sign) => (sign === "A" ? random.pick(letters) : String(random.int(0, 9))));

  return {
    /** So many different makers, spelled as carelessly as suppliers do. */
    brands(count: number): string[] {
      const names = new Set<string>();
      while (names.size < count) {
        const name = random.pick(brandNames);
        names.add(random.chance(0.3) ? `${name} ${random.pick(brandSuffixes)}` : name);
      }
      return [...names].map((name) => strayCase(random, name));
    },

    /** In the style of its maker. */
    manufacturerNumber(brand: string): string {
      if (random.chance(0.001)) return "б/н";
      const style = brand.toLowerCase().charCodeAt(0) + brand.length;
      return number(patterns[style % patterns.length] ?? "#####");
    },

    /** Numbers of other makers for the same part, for one in five unknown; or a list of just about `length` characters. */
    crossNumber(length?: number): string | null {
      if (length === undefined && random.chance(0.2)) return null;
      const separator = random.pick(separators);
      const wanted = length ?? Math.exp(4.6 + 1.1 * random.normal());
      let list = number(random.pick(patterns));
      while (list.length < wanted - 14) list += separator + number(random.pick(patterns));
      return list;
    },

    /** Number in the shop of old; unlike for every `index`, and missing for what was entered since. */
    bitrixId(index: number): string | null {
      if (random.chance(0.01)) return null;
      return index % 25 === 0 ? `F${14 + Math.floor(index / 50)}-${(index % 50) / 25 + 1}` : String(10_000 + 3 * index);
    },

    /** As `bitrixId`, of an offer. */
    offerBitrixId: (index: number): string | null => (random.chance(0.03) ? null : String(200_000 + 7 * index)),

    /** Where it lies in the warehouse. */
    shelf(): string | null {
      if (random.chance(0.25)) return null;
      const row = random.pick(["A", "B", "C", "D", "Б", "Г"]);
      return `${row}${random.int(1, 24)}-${String(random.int(1, 60)).padStart(2, "0")}-${random.int(1, 5)}`;
    },

    note: (): string | null => (random.chance(0.12) ? random.pick(notes) : null),
  };
}

function strayCase(random: Random, name: string) {
  if (random.chance(0.85)) return name;
  return random.chance(0.6) ? name.toUpperCase() : name.toLowerCase();
}
