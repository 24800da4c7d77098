import type { Random } from "../random.ts";
import { destinations, houses, streets } from "../words.ts";
import { warehouseAddressId } from "./addresses.ts";
import type { Person } from "./people.ts";
import type { AddressRow, OrderRow } from "./rows.ts";

/** How an order says where it goes: one style for each client there was, and one for stored addresses. */
export const styles = ["cargo", "pickup", "postal", "stored", "warehouse"] as const;
export type Style = (typeof styles)[number];

type Destination = Pick<
  OrderRow,
  | "addressId"
  | "country"
  | "city"
  | "address"
  | "street"
  | "house"
  | "postalCode"
  | "shippingMethod"
  | "shippingCompany"
>;

const nowhere = {
  addressId: null,
  country: null,
  city: null,
  address: null,
  street: null,
  house: null,
  postalCode: null,
  shippingCompany: null,
};

/** The columns that say where an order goes; a customer without an address has it shipped as cargo. */
export function destinationOf(
  random: Random,
  style: Style,
  buyer: Person | null,
  addresses: readonly AddressRow[],
): Destination {
  switch (style) {
    case "pickup":
      return { ...nowhere, shippingMethod: "SELF_PICKUP" };
    case "postal":
      return postal(random);
    case "stored": {
      const stored = addresses.find(({ userId, isDefault }) => userId === buyer?.id && isDefault);
      return stored ? toAddress(stored) : cargo(random);
    }
    case "warehouse": {
      const stored = addresses.find(({ id }) => id === warehouseAddressId);
      return stored ? toAddress(stored) : cargo(random);
    }
    default:
      return cargo(random);
  }
}

/** As the storefront sends it: the address is one text. */
function cargo(random: Random): Destination {
  const address = `${random.pick(streets)}, ${random.pick(houses)}`;
  const shippingCompany = random.pick(["CDEK", "KIT"]);
  return { ...nowhere, ...random.pick(destinations), address, shippingMethod: "CARGO", shippingCompany };
}

/** As clients before the storefront sent it: in parts, and in words of their own. */
function postal(random: Random): Destination {
  return {
    ...nowhere,
    ...random.pick([{ country: "Россия", city: "Ростов-на-Дону" }, ...destinations]),
    street: random.pick(streets),
    house: random.pick(houses),
    postalCode: String(random.int(101_000, 399_999)),
    shippingMethod: random.pick(["CARGO", "OTHER"] as const),
    shippingCompany: random.pick(["CDEK", "KIT", "Попутный груз", null]),
  };
}

function toAddress({ id, city, street, postalCode, shippingMethod, shippingCompany }: AddressRow): Destination {
  return { ...nowhere, addressId: id, city, street, postalCode, shippingMethod, shippingCompany };
}
