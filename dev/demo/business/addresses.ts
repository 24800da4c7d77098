import type { Random } from "../random.ts";
import { cities, houses, streets } from "../words.ts";
import type { Calendar } from "./calendar.ts";
import type { People, Person } from "./people.ts";
import type { AddressRow } from "./rows.ts";

/** The warehouse client orders to this address for every user. */
export const warehouseAddressId = "356f1d6f-0514-4e40-aad5-d59b91674320";

/** One to three addresses for most customers, exactly one of them the default; and that of the warehouse. */
export function makeAddresses(random: Random, calendar: Calendar, people: People): AddressRow[] {
  const { employee, demoCustomers, customers } = people;
  const withSome = [...demoCustomers, ...customers.filter(() => random.chance(0.6))];
  const own = withSome.flatMap((person) => {
    const count = random.int(1, 3);
    const preferred = random.int(1, count);
    return Array.from({ length: count }, (_, index) => makeAddress(random, calendar, person, index + 1 === preferred));
  });
  const place = { city: "Севастополь", street: "ул. Складская, 5", postalCode: "299053", shippingCompany: null };
  const warehouse = { id: warehouseAddressId, shippingMethod: "SELF_PICKUP" as const, ...place };
  return [{ ...makeAddress(random, calendar, employee, true), ...warehouse }, ...own];
}

function makeAddress(random: Random, calendar: Calendar, person: Person, isDefault: boolean): AddressRow {
  const city = random.pick(cities);
  const shippingMethod = random.pick(["CARGO", "OTHER"] as const);
  const createdAt = calendar.after(person.createdAt, 5, 600);
  return {
    id: random.uuid(),
    userId: person.id,
    firstName: person.firstName,
    lastName: person.lastName,
    phone: person.phone,
    city: city.name,
    street: `${random.pick(streets)}, ${random.pick(houses)}`,
    postalCode: city.postalCode,
    shippingMethod,
    shippingCompany: shippingMethod === "CARGO" ? random.pick(["CDEK", "KIT"]) : null,
    isDefault,
    createdAt,
    updatedAt: createdAt,
  };
}
