import { z } from "zod";
import type { OrderFields } from "../../../db/dao/orders/orders.ts";
import { shippingMethods } from "../../../db/entities/accounts/user.ts";
import { orderStatuses } from "../../../db/entities/orders/order.ts";
import { ValidationError } from "../../../errors.ts";
import { holdsWebAddress } from "../../../services/mail/web-addresses.ts";
import type { RequestedContact } from "../../../services/orders/order-contact.ts";
import { cancelPolicies } from "../../../services/orders/orders.ts";
import { email, line, note, optionalLine, phone, pieces, uuid } from "../../http/fields.ts";
import type { Actor } from "../../http/types.ts";
import { missingKeys } from "../../http/violations.ts";
import { noUserId } from "../../views/warehouse-order.ts";

/** The warehouse sends its own object under this name. */
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

/** Contact and shipping of a new order, and its note. */
export const newContact = {
  ...contact,
  note: note.optional(),
  address_id: z.string().trim().max(100).nullish().meta({
    description: "With a token: fields that are not sent come from this address, or from the account",
  }),
};
export type NewContact = z.output<z.ZodObject<typeof newContact>>;

/** The fields of an order that can be changed; other fields of a whole object are ignored. */
export const OrderChange = z.object({
  ...contact,
  // The text that means "no number" may come back too.
  phone: z.preprocess((value) => (value === "—" ? undefined : value), phone.optional()),
  status: z.enum(orderStatuses).optional(),
  note: note.optional(),
  payments: z
    .enum(cancelPolicies)
    .optional()
    .catch(undefined)
    .meta({ description: "With status CANCELED: what becomes of authorized and paid payments; keep when absent" }),
});

/** A line of a new order; brand, number and price are the offer's, whatever is sent. */
export const NewOrderLine = z.object({ offer_id: uuid, quantity: pieces });

/** A new line with the field names of the services. */
export const toLine = ({ offer_id, quantity }: z.output<typeof NewOrderLine>) => ({ offerId: offer_id, quantity });

const required = ["shipping_method", "first_name", "last_name", "email", "phone"] as const;

/** Throws when a guest's name contains a web address: mail about the order may reach another person. */
function refuseWebAddresses(body: NewContact) {
  const wrong = (["first_name", "last_name"] as const).filter((name) => holdsWebAddress(body[name] ?? ""));
  if (wrong.length === 0) return;
  const msg = "Value error, a name must not hold a web address";
  throw new ValidationError(
    wrong.map((name) => ({ type: "value_error", loc: ["body", name], msg, input: body[name] })),
  );
}

/**
 * The customer of an order. A caller with an account may name a stored address instead; a guest has to send all fields,
 * in names without a web address, or it throws.
 */
export function requestedContact(body: NewContact, actor: Actor | undefined): RequestedContact {
  const given = orderFields(body);
  if (!actor) refuseWebAddresses(body);
  if (actor && body.address_id != null) {
    const { data = noUserId } = uuid.safeParse(body.address_id);
    return { ...given, addressId: data };
  }
  const missing = required.filter((name) => body[name] === undefined);
  if (missing.length === 0) return given as RequestedContact;
  throw new ValidationError(missingKeys(missing, body));
}

/** The sent fields of an order, by the names of its columns. */
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
