import { z } from "zod";
import type { OrderFields } from "../../../db/dao/orders/orders.ts";
import { shippingMethods } from "../../../db/entities/accounts/user.ts";
import { orderStatuses } from "../../../db/entities/orders/order.ts";
import { ValidationError } from "../../../errors.ts";
import { holdsWebAddress } from "../../../services/mail/web-addresses.ts";
import type { RequestedContact } from "../../../services/orders/order-contact.ts";
import { email, line, note, optionalLine, phone, pieces, uuid } from "../../http/fields.ts";
import type { Actor } from "../../http/types.ts";
import { missingKeys } from "../../http/violations.ts";
import { nobody } from "../../views/warehouse-order.ts";

/** The warehouse sends an object of its own under this name. */
const freeText = z.preprocess(
  (value) => (typeof value === "object" && value ? undefined : value),
  optionalLine(1_000).optional(),
);

const contact = {
  country: optionalLine().optional(),
  city: optionalLine().optional(),
  address: freeText.meta({ description: "Free text; instead of street, house and postal_code" }),
  street: optionalLine().optional(),
  house: optionalLine().optional(),
  postal_code: optionalLine().optional(),
  shipping_company: optionalLine().optional(),
  shipping_method: z.enum(shippingMethods).optional(),
  first_name: line().optional(),
  last_name: line().optional(),
  email: email.optional(),
  phone: phone.optional(),
};

/** Contact and shipping of a new order, and what is said about it. */
export const newContact = {
  ...contact,
  note: note.optional(),
  address_id: z.string().max(100).nullish().meta({
    description: "With a token: fields that are not sent come from this address, or from the account",
  }),
};
export type NewContact = z.output<z.ZodObject<typeof newContact>>;

/** What can be changed of an order; the rest of one that is sent back whole is left alone. */
export const OrderChange = z.object({
  ...contact,
  // What stands for no number at all may come back too.
  phone: z.preprocess((value) => (value === "—" ? undefined : value), phone.optional()),
  status: z.enum(orderStatuses).optional(),
  note: note.optional(),
});

/** A line of a new order; brand, number and price are the offer's, whatever is sent. */
export const NewLine = z.object({ offer_id: uuid, quantity: pieces });

/** A new line under the names of the services. */
export const toLine = ({ offer_id, quantity }: z.output<typeof NewLine>) => ({ offerId: offer_id, quantity });

const required = ["shipping_method", "first_name", "last_name", "email", "phone"] as const;

/** Throws when a guest has put a web address where a name belongs: mail about it reaches an address that may be anybody's. */
function refuseWebAddresses(body: NewContact) {
  const wrong = (["first_name", "last_name"] as const).filter((name) => holdsWebAddress(body[name] ?? ""));
  if (wrong.length === 0) return;
  const msg = "Value error, a name must not hold a web address";
  throw new ValidationError(
    wrong.map((name) => ({ type: "value_error", loc: ["body", name], msg, input: body[name] })),
  );
}

/**
 * Whom an order is for. Somebody with an account may name a stored address instead; everybody else has to say it all,
 * in names without a web address, or it throws.
 */
export function requestedContact(body: NewContact, actor: Actor | undefined): RequestedContact {
  const given = orderFields(body);
  if (!actor) refuseWebAddresses(body);
  if (actor && body.address_id != null) {
    const { data = nobody } = uuid.safeParse(body.address_id);
    return { ...given, addressId: data };
  }
  const missing = required.filter((name) => body[name] === undefined);
  if (missing.length === 0) return given as RequestedContact;
  throw new ValidationError(missingKeys(missing, body));
}

/** What was sent of an order, under the names of its columns. */
export function orderFields(body: z.output<typeof OrderChange>): Partial<OrderFields> {
  const { postal_code, shipping_company, shipping_method, first_name, last_name } = body;
  const { status, note, country, city, address, street, house, email, phone } = body;
  const named = {
    ...{ status, note, country, city, address, street, house, email, phone },
    ...{ postalCode: postal_code, shippingCompany: shipping_company, shippingMethod: shipping_method },
    ...{ firstName: first_name, lastName: last_name },
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}
