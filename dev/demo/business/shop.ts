import type { Catalogue } from "../catalogue.ts";
import { createRandom, type Random } from "../random.ts";
import { makeAddresses } from "./addresses.ts";
import { type Calendar, createCalendar } from "./calendar.ts";
import { makePeople, type People } from "./people.ts";
import type { AddressRow } from "./rows.ts";
import { createShelf, type Shelf } from "./shelf.ts";

/** What business is done with. */
export interface Shop {
  random: Random;
  calendar: Calendar;
  shelf: Shelf;
  catalogue: Catalogue;
  people: People;
  addresses: readonly AddressRow[];
}

/** A shop with goods and customers, before anything was sold. */
export function openShop(catalogue: Catalogue, seed: number): Shop {
  // Not the stream that the catalogue was drawn from: its ids would come again.
  const random = createRandom(seed ^ 0xb0_0c5);
  const calendar = createCalendar(random);
  const people = makePeople(random, calendar);
  const addresses = makeAddresses(random, calendar, people);
  return { random, calendar, shelf: createShelf(random, catalogue.offers), catalogue, people, addresses };
}
