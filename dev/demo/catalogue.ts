import { slugify } from "../../src/services/catalogue/slug.ts";
import { createOfferWords } from "./offer-words.ts";
import { createProductNames } from "./product-names.ts";
import { createRandom, type Random } from "./random.ts";
import { categoryWords } from "./words.ts";

export interface CategoryRow {
  id: string;
  name: string;
  slug: string;
}

export interface SubCategoryRow extends CategoryRow {
  categoryId: string;
}

export interface ProductRow {
  id: string;
  bitrixId: string | null;
  subCategoryId: string;
  name: string;
  slug: string;
  crossNumber: string | null;
  isDeleted: boolean;
}

export interface OfferRow {
  id: string;
  productId: string;
  offerBitrixId: string | null;
  sku: string | null;
  brand: string;
  manufacturerNumber: string;
  internalDescription: string | null;
  priceRub: number;
  superWholesalePriceRub: number;
  quantity: number;
  isDeleted: boolean;
}

export interface Catalogue {
  categories: CategoryRow[];
  subCategories: SubCategoryRow[];
  products: ProductRow[];
  offers: OfferRow[];
}

export interface CatalogueOptions {
  seed: number;
  size: "small" | "full";
}

const sizes = {
  small: { products: 300, offers: 780 },
  full: { products: 8_600, offers: 22_700 },
} as const;
const longestCrossNumber = 12_000;

const medianPrice = 1_890;
const outOfStock = 0.55;

interface Part extends SubCategoryRow {
  /** Name of one of its products, without the car. */
  product: string;
  /** From 1 (cheap) to 5 (dear). */
  tier: number;
  traits: ReadonlySet<string>;
}

/** A parts shop that never was, in the shape of a real one; the same for the same options. */
export function generateCatalogue({ seed, size }: CatalogueOptions): Catalogue {
  const random = createRandom(seed);
  const categories = categoryWords.map(({ name, legacySlug, parts }) => {
    const row: CategoryRow = { id: random.uuid(), name, slug: legacySlug ?? slugify(name) };
    return {
      row,
      parts: parts.map((line) => part(random, row.id, line)),
    };
  });
  const parts = categories.flatMap((category) => category.parts);
  const products = makeProducts(random, parts, sizes[size].products);

  return {
    categories: categories.map(({ row }) => row),
    subCategories: parts.map(({ id, name, slug, categoryId }) => ({ id, name, slug, categoryId })),
    products: products.map(({ row }) => row),
    offers: makeOffers(random, products, sizes[size].offers),
  };
}

function part(random: Random, categoryId: string, line: string): Part {
  const [name = "", product = "", traits = ""] = line.split("|").map((word) => word.trim());
  return {
    id: random.uuid(),
    name,
    slug: slugify(name),
    categoryId,
    product,
    tier: Number(traits[0]),
    traits: new Set(traits.slice(1)),
  };
}

interface Product {
  row: ProductRow;
  part: Part;
}

function makeProducts(random: Random, parts: Part[], count: number): Product[] {
  const nameFor = createProductNames(random);
  const words = createOfferWords(random);
  const longest = random.int(0, count - 1);
  return spread(random, parts, count).map((part, index) => {
    const name = nameFor(part);
    const crossNumber = index === longest ? words.crossNumber(longestCrossNumber) : words.crossNumber();
    const bitrixId = words.bitrixId(index);
    const row = { id: random.uuid(), bitrixId, subCategoryId: part.id, ...name, crossNumber, isDeleted: false };
    return { row, part };
  });
}

/** A few shelves hold most of the goods, and some are empty; every category has something. */
function spread(random: Random, parts: Part[], count: number): Part[] {
  const shuffled = random.shuffle(parts);
  const oneOfEach = new Map(shuffled.map((part) => [part.categoryId, part])).values();
  const stocked = [...new Set([...oneOfEach, ...shuffled.slice(0, Math.min(0.95 * parts.length, 0.6 * count))])];
  const sums: number[] = [];
  for (const _ of stocked) sums.push((sums.at(-1) ?? 0) + Math.exp(0.9 * random.normal()));
  const more = Array.from({ length: count - stocked.length }, () => {
    const point = random.next() * (sums.at(-1) ?? 0);
    return stocked[sums.findIndex((sum) => point < sum)] ?? random.pick(stocked);
  });
  return random.shuffle([...stocked, ...more]);
}

function makeOffers(random: Random, products: Product[], count: number): OfferRow[] {
  const words = createOfferWords(random);
  const prices = productPrices(random, products);
  const quantities = makeQuantities(random, count);
  const withThree = new Set(random.shuffle(products).slice(0, count - 2 * products.length));

  return products
    .flatMap((product, index) => {
      const price = prices[index] ?? medianPrice;
      return words.brands(withThree.has(product) ? 3 : 2).map((brand) => ({ product, price, brand }));
    })
    .map(({ product, price, brand }, index) => {
      const priceRub = Math.max(25, Math.round(price * Math.exp(0.25 * random.normal())));
      return {
        id: random.uuid(),
        productId: product.row.id,
        offerBitrixId: words.offerBitrixId(index),
        sku: words.shelf(),
        brand,
        manufacturerNumber: words.manufacturerNumber(brand),
        internalDescription: words.note(),
        priceRub,
        superWholesalePriceRub: superWholesalePrice(random, priceRub),
        quantity: quantities[index] ?? 0,
        isDeleted: false,
      };
    });
}

/** Log-normal as a whole, and dear parts rather at its upper end. */
function productPrices(random: Random, products: Product[]): number[] {
  const half = Array.from({ length: Math.ceil(products.length / 2) }, () => random.normal());
  const ladder = [...half, ...half.map((value) => -value)].sort((a, b) => a - b);
  const ranked = products
    .map((product, index) => ({ index, rank: product.part.tier + 0.7 * random.normal() }))
    .sort((a, b) => a.rank - b.rank);
  const prices: number[] = [];
  for (const [place, { index }] of ranked.entries()) prices[index] = medianPrice * Math.exp(1.3 * (ladder[place] ?? 0));
  return prices;
}

/** 56 to 71 % of the retail price; in 45 % of the pairs the mean of both is no whole rouble. */
function superWholesalePrice(random: Random, priceRub: number): number {
  const [low, high] = [Math.ceil(0.56 * priceRub), Math.floor(0.71 * priceRub)];
  const wanted = Math.round(priceRub * (0.64 + 0.03 * random.normal()));
  const price = Math.min(high, Math.max(low, wanted));
  const odd = random.chance(0.45);
  if (((priceRub + price) % 2 === 1) === odd) return price;
  return price < high ? price + 1 : price - 1;
}

function makeQuantities(random: Random, count: number): number[] {
  const empty = Math.round(outOfStock * count);
  const stocked = Array.from({ length: count - empty }, () => Math.exp(1.4 + 1.3 * random.normal()));
  return random.shuffle([
    ...new Array<number>(empty).fill(0),
    ...stocked.map((value) => Math.min(3_600, Math.max(1, Math.round(value)))),
  ]);
}
