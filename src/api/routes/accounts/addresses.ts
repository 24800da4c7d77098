import { z } from "zod";
import { addresses } from "../../../db/dao/accounts/addresses.ts";
import { shippingMethods } from "../../../db/entities/accounts/user.ts";
import { NotFoundError } from "../../../errors.ts";
import {
  changeAddress,
  createAddress,
  deleteAddress,
  getAddress,
  lockAddress,
} from "../../../services/accounts/addresses.ts";
import { checkOwn } from "../../http/access.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, line, optionalLine, phone, uuid } from "../../http/fields.ts";
import { pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { Actor } from "../../http/types.ts";
import { AddressView, addressView } from "../../views/address.ts";
import { changedFields, patchBody } from "../orders/whole-object-patch.ts";

const tag = "Addresses";
const params = z.object({ address_id: uuid });
const shippingMethod = z
  .enum(shippingMethods)
  .nullable()
  .transform((method) => method ?? "OTHER");

const AddressFields = z.object({
  first_name: line(),
  last_name: line(),
  phone,
  city: line(),
  street: line(),
  postal_code: line(30),
  shipping_method: shippingMethod.optional().meta({ description: "OTHER when absent" }),
  shipping_company: optionalLine().optional(),
  is_default: boolean.optional().meta({ description: "A user's first address is the default in any case" }),
});
const AddressChange = AddressFields.partial();

const ownerOf = (actor: Actor) => (actor.role === "USER" ? actor.id : undefined);

function toPatch(body: z.output<typeof AddressChange>) {
  return {
    firstName: body.first_name,
    lastName: body.last_name,
    phone: body.phone,
    city: body.city,
    street: body.street,
    postalCode: body.postal_code,
    shippingMethod: body.shipping_method,
    shippingCompany: body.shipping_company,
  };
}

function toFields(body: z.output<typeof AddressFields>) {
  return {
    firstName: body.first_name,
    lastName: body.last_name,
    phone: body.phone,
    city: body.city,
    street: body.street,
    postalCode: body.postal_code,
    shippingMethod: body.shipping_method ?? "OTHER",
    shippingCompany: body.shipping_company ?? null,
  };
}

export const addressRoutes = [
  defineRoute({
    method: "get",
    path: "/addresses",
    summary: "List addresses, newest first: one's own, or any for staff",
    tag,
    access: "USER",
    query: pageQuery().extend({ user_id: uuid.optional() }),
    responses: { 200: pageOf(AddressView), 422: InvalidRequest },
    async handle(_context, { query, actor, profile, reader }) {
      if (query.user_id !== undefined) checkOwn(actor, query.user_id);
      const [rows, total] = await addresses.list(reader, { userId: query.user_id ?? ownerOf(actor) }, slice(query));
      const items = rows.map((address) => addressView(address, profile));
      return { status: 200, body: toPage(items, total, query) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/addresses/{address_id}",
    summary: "Get an address: one's own, or any for staff",
    tag,
    access: "USER",
    params,
    responses: { 200: AddressView, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params, actor, profile, reader }) {
      const address = await getAddress(reader, { id: params.address_id, owner: ownerOf(actor) });
      return { status: 200, body: addressView(address, profile) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/addresses",
    summary: "Create an address; each user may have 50",
    tag,
    access: "USER",
    idempotent: true,
    body: AddressFields.extend({
      user_id: uuid.optional().meta({ description: "Owner of the address; another user only for staff" }),
    }),
    responses: { 201: AddressView, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { body, actor, profile, commit }) {
      const userId = body.user_id ?? actor.id;
      checkOwn(actor, userId);
      return commit(async (tx) => {
        const address = { userId, fields: toFields(body), isDefault: body.is_default ?? false };
        const id = await createAddress(tx, address);
        return { status: 201, body: addressView(await getAddress(tx, { id, owner: undefined }), profile) };
      });
    },
  }),
  defineRoute({
    method: "patch",
    path: "/addresses/{address_id}",
    summary: "Update an address, or make it the default",
    description:
      "Accepts the whole object as it was returned: equal values, ids, times and unknown keys change nothing.",
    tag,
    access: "USER",
    params,
    body: patchBody(AddressChange),
    responses: { 200: AddressView, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params, body, actor, profile, commit }) {
      const which = { id: params.address_id, owner: ownerOf(actor) };
      return commit(async (tx) => {
        const address = await lockAddress(tx, which);
        const changes = changedFields(AddressChange, body, address ? addressView(address, profile) : undefined);
        if (!address) throw new NotFoundError("Entity not found");
        await changeAddress(tx, { address, patch: toPatch(changes), isDefault: changes.is_default });
        return { status: 200, body: addressView(await getAddress(tx, which), profile) };
      });
    },
  }),
  defineRoute({
    method: "delete",
    path: "/addresses/{address_id}",
    summary: "Delete an address; the newest of the others becomes the default",
    tag,
    access: "USER",
    params,
    responses: { 204: z.null(), 404: Problem, 422: InvalidRequest },
    async handle(_context, { params, actor, commit }) {
      return commit(async (tx) => {
        await deleteAddress(tx, { id: params.address_id, owner: ownerOf(actor) });
        return { status: 204 };
      });
    },
  }),
];
