import { readFileSync } from "node:fs";
import type { MotifName } from "./motifs.ts";

/** One category in a line: its name, the name of its products, what tells them apart. */
interface CategoryWords {
  name: string;
  /** What its picture shows. */
  motif: MotifName;
  /** Address from the time before `slugify`; without one the slug follows from the name. */
  legacySlug?: string;
  /**
   * `Sub-category | product | traits`: a digit from 1 (cheap) to 5 (dear), then `p` front or rear, `s` left or right,
   * `e` engine, `n` pieces in a set; or, for what fits every car, `u` series, `l` litres, `v` viscosity, `w` watts,
   * `r` size of a tyre.
   */
  parts: readonly string[];
}

type Words<Name extends string> = Readonly<Record<Name, readonly string[]>>;

interface People extends Words<"customerNames" | "guestNames" | "streets" | "houses" | "orderNotes"> {
  readonly cities: readonly { name: string; postalCode: string }[];
  readonly destinations: readonly { country: string; city: string }[];
}

const read = <T>(name: string) => JSON.parse(readFileSync(new URL(`words/${name}.json`, import.meta.url), "utf8")) as T;

/** What the shop sells: generic names of car parts. */
export const categoryWords = read<readonly CategoryWords[]>("parts");

/** Makers that do not exist, second words that make further ones of them, and what the warehouse notes at an offer. */
export const { brandNames, brandSuffixes, notes } = read<Words<"brandNames" | "brandSuffixes" | "notes">>("brands");

/**
 * Cars that were never built, with the years of each generation; engines, written as carelessly as price lists write them;
 * what follows the car now and then; and what tells apart what fits every car.
 */
export const { cars, engines, remarks, series, volumes, viscosities, lamps, tyreSizes } =
  read<Words<"cars" | "engines" | "remarks" | "series" | "volumes" | "viscosities" | "lamps" | "tyreSizes">>("cars");

/**
 * Customers who do not exist, guests, where they live, countries that the storefront ships to with a city in each, and
 * what customers write beside an order.
 */
export const { customerNames, guestNames, cities, destinations, streets, houses, orderNotes } = read<People>("people");
