import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { sellableOffers } from "../../db/dao/catalogue/sellable-offers.ts";
import { carts } from "../../db/dao/orders/carts.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { type CartLine, readCart } from "./carts.ts";
import { contactOf, type RequestedContact } from "./order-contact.ts";
import { storeOrder } from "./orders.ts";
import { nameOf } from "./price-order-lines.ts";

export interface Checkout {
  userId: string;
  note: string | null;
  contact: RequestedContact;
  /** Accepts present prices that differ from those that the customer has seen. */
  acceptChanges: boolean;
}

/**
 * Makes an order from the user's cart and returns its id; the cart is closed, and the next offer goes into a new one.
 * Of two concurrent calls one finds the cart empty. Throws when it is empty, and with a sentence that names every line
 * whose price has changed, or that is short in stock or not sold any more.
 */
export async function checkOut(tx: EntityManager, { userId, note, contact: requested, acceptChanges }: Checkout) {
  const cartId = await carts.lock(tx, userId);
  const { lines } = await readCart(tx, userId);
  if (cartId === undefined || lines.length === 0)
    throw new ConflictError("The cart is empty; there is nothing to order");
  refuseSurprises(lines, acceptChanges);
  await sellableOffers.lock(
    tx,
    lines.map(({ offerId }) => offerId),
  );

  const caller = await users.findById(tx, userId);
  if (!caller) throw new NotFoundError("User not found");
  const contact = await contactOf(tx, { requested, caller });
  const orderId = await storeOrder(tx, { order: { ...contact, userId, status: "NEW", note }, lines });
  await carts.markOrdered(tx, cartId, orderId);
  return orderId;
}

function refuseSurprises(lines: readonly CartLine[], acceptChanges: boolean) {
  const gone = lines.filter(isGone).map(absence);
  const there = lines.filter((line) => !isGone(line));
  const short = there.flatMap((line) => shortage(line) ?? []);
  const changed = acceptChanges ? [] : there.filter(({ isPriceChanged }) => isPriceChanged).map(priceChange);
  const surprises = [...short, ...gone, ...changed];
  if (surprises.length === 0) return;
  const advice = [
    ...(short.length > 0 ? ["lower the quantities"] : []),
    ...(gone.length > 0 ? ["take out what cannot be bought"] : []),
    ...(changed.length > 0 ? ["send accept_changes to take the new prices"] : []),
  ];
  throw new ConflictError(`The cart cannot be ordered as it is: ${surprises.join("; ")}. Please ${advice.join(", ")}`);
}

/** No lower quantity helps. */
const isGone = ({ isDiscontinued, available }: CartLine) => isDiscontinued || available === 0;

function absence(line: CartLine) {
  return `${nameOf({ ...line, id: line.offerId })} is ${line.isDiscontinued ? "not sold any more" : "sold out"}`;
}

function shortage(line: CartLine) {
  const name = nameOf({ ...line, id: line.offerId });
  return line.quantity > line.available ? `${name}: '${line.quantity}' wanted, ${line.available} available` : undefined;
}

function priceChange(line: CartLine) {
  return `${nameOf({ ...line, id: line.offerId })} costs '${line.priceRub}' roubles now, not ${line.seenPriceRub}`;
}
