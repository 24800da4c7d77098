import { slugify } from "../../src/services/catalogue/slug.ts";
import type { Random } from "./random.ts";
import { cars, engines, lamps, remarks, series, tyreSizes, viscosities, volumes } from "./words.ts";

/** What a name is made from. */
export interface Kind {
  product: string;
  /** See `words.ts`. */
  traits: ReadonlySet<string>;
}

/** Makes a function that never gives the same name or slug twice. */
export function createProductNames(random: Random): (kind: Kind) => { name: string; slug: string } {
  const slugs = new Set<string>();
  return (kind) => {
    for (let attempt = 1; ; attempt++) {
      const name = attempt <= 20 ? compose(random, kind) : `${compose(random, kind)}, исп. ${attempt}`;
      const slug = slugify(name);
      if (slugs.has(slug)) continue;
      slugs.add(slug);
      return { name, slug };
    }
  };
}

function compose(random: Random, kind: Kind) {
  const words = [kind.product, ...place(random, kind.traits), ...fit(random, kind.traits)];
  if (kind.traits.has("n")) words.push(`(${random.pick(kind.traits.has("u") ? ["5", "10", "50"] : ["2", "4"])} шт.)`);
  const name = words.join(" ");
  return random.chance(0.25) ? `${name}, ${random.pick(remarks)}` : name;
}

function place(random: Random, traits: ReadonlySet<string>) {
  return [
    ...(traits.has("p") ? [random.pick(["перед.", "задн."])] : []),
    ...(traits.has("s") ? [random.pick(["лев.", "прав.", "лев./прав."])] : []),
  ];
}

function fit(random: Random, traits: ReadonlySet<string>) {
  if (traits.has("r")) return [random.pick(series), random.pick(tyreSizes)];
  if (traits.has("w")) return [random.pick(lamps), random.pick(["12 В", "24 В"]), `${random.pick([5, 21, 35, 55])} Вт`];
  if (traits.has("v")) return [random.pick(series), `${random.pick(viscosities)},`, random.pick(volumes)];
  if (traits.has("l")) return [`${random.pick(series)},`, random.pick(volumes)];
  if (traits.has("u")) return [random.pick(series), `№${random.int(1, 36)}`, ...(random.chance(0.1) ? ["½″"] : [])];
  return [fittingCars(random), ...(traits.has("e") ? [random.pick(engines)] : [])];
}

/** Some parts fit half a dozen cars, and the name lists them all. */
function fittingCars(random: Random) {
  const count = random.chance(0.12) ? random.int(2, 3) : random.chance(0.01) ? 7 : 1;
  return random.shuffle(cars).slice(0, count).join(" / ");
}
