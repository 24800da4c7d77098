import type { EntityManager } from "typeorm";
import { sellableOffers } from "../../db/dao/catalogue/sellable-offers.ts";
import { type CartLineRow, carts } from "../../db/dao/orders/carts.ts";
import type { CustomerType } from "../../db/entities/accounts/user.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { maxOrderLines, type RequestedLine } from "./price-order-lines.ts";
import { priceRubFor } from "./prices.ts";

/** More pieces of one offer are a typing mistake. */
const maxCartPieces = 1_000_000;

/** A line as its customer sees it now. */
export interface CartLine extends CartLineRow {
  /** For this customer. */
  priceRub: number;
  isPriceChanged: boolean;
  /** Pieces that can be ordered; none of an offer that is not sold any more. */
  available: number;
}

/** The open cart of a user with its lines at that customer's prices; empty when there is none. Changes nothing. */
export async function readCart(tx: EntityManager, userId: string) {
  const cart = await carts.of(tx, userId);
  if (!cart) throw new NotFoundError("User not found");
  const rows = cart.id === null ? [] : await carts.lines(tx, cart.id);
  return { ...cart, lines: rows.map((row) => lineOf(row, cart.customerType)) };
}

function lineOf(row: CartLineRow, customerType: CustomerType): CartLine {
  const priceRub = priceRubFor(customerType, row);
  return {
    ...row,
    priceRub,
    isPriceChanged: priceRub !== row.seenPriceRub,
    available: row.isDiscontinued ? 0 : Math.max(0, row.stock),
  };
}

/** Adds pieces of an offer, also when it is in the cart already; opens a cart when there is none. */
export async function addToCart(tx: EntityManager, { userId, line }: { userId: string; line: RequestedLine }) {
  const cart = await lockCart(tx, userId);
  const [offer] = await sellableOffers.lock(tx, [line.offerId]);
  if (!offer || offer.isDiscontinued) throw new NotFoundError("Offer not found");
  const isIn = cart.lines.some(({ offerId }) => offerId === line.offerId);
  if (!isIn && cart.lines.length >= maxOrderLines)
    throw new ConflictError(`A cart holds at most ${maxOrderLines} offers`);
  const [put] = await carts.add(tx, cart.id, [{ ...line, priceRub: priceRubFor(cart.customerType, offer) }]);
  if (put && put.quantity > maxCartPieces) {
    throw new ConflictError(
      `'${put.quantity}' pieces of offer '${line.offerId}' are more than the maximum of ${maxCartPieces}`,
    );
  }
  await carts.touch(tx, cart.id);
}

/** Changes the quantity of an offer in the cart. */
export async function changeCartLine(tx: EntityManager, { userId, line }: { userId: string; line: RequestedLine }) {
  const cartId = await carts.lock(tx, userId);
  const isIn = cartId !== undefined && (await carts.setQuantity(tx, cartId, line.offerId, line.quantity));
  if (!isIn) throw new NotFoundError("Offer not found in cart");
  await carts.touch(tx, cartId);
}

/** Removes an offer from the cart. */
export async function removeCartLine(tx: EntityManager, { userId, offerId }: { userId: string; offerId: string }) {
  const cartId = await carts.lock(tx, userId);
  const removed = cartId === undefined ? 0 : await carts.remove(tx, cartId, offerId);
  if (cartId === undefined || removed === 0) throw new NotFoundError("Offer not found in cart");
  await carts.touch(tx, cartId);
}

/** Empties the cart; may be repeated. */
export async function emptyCart(tx: EntityManager, { userId }: { userId: string }) {
  const cartId = await carts.lock(tx, userId);
  if (cartId === undefined) return;
  await carts.remove(tx, cartId, null);
  await carts.touch(tx, cartId);
}

/** Accepts the present prices as seen; may be repeated. */
export async function acceptPrices(tx: EntityManager, { userId }: { userId: string }) {
  const cartId = await carts.lock(tx, userId);
  if (cartId === undefined) return;
  const { lines } = await readCart(tx, userId);
  const prices = lines.map(({ offerId, priceRub }) => ({ offerId, priceRub }));
  await carts.setSeen(tx, cartId, prices);
  await carts.touch(tx, cartId);
}

/** The open cart, locked until the transaction ends; a new one when there is none. */
export async function lockCart(tx: EntityManager, userId: string) {
  // Another request may order the existing cart meanwhile, and then a new one can be opened.
  for (let attempt = 0; attempt < 5; attempt++) {
    const id = await carts.lock(tx, userId);
    if (id !== undefined) return { ...(await readCart(tx, userId)), id };
    await carts.open(tx, userId);
  }
  throw new ConflictError("Several requests are changing the cart at once; try again");
}
