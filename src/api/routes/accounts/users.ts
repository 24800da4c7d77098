import { z } from "zod";
import { type UserChange as Change, users } from "../../../db/dao/accounts/users.ts";
import { customerTypes, languages, roles, shippingMethods } from "../../../db/entities/accounts/user.ts";
import { NotFoundError } from "../../../errors.ts";
import { changeUser, getUser, getUserByClerkId } from "../../../services/accounts/users.ts";
import { checkOwn } from "../../http/access.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, email, line, note, optionalLine, optionalPhone, searchTerm, uuid } from "../../http/fields.ts";
import { Count, pageOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { UserView, userView } from "../../views/user.ts";
import { changedFields, patchBody } from "../orders/whole-object-patch.ts";

const tag = "Users";
const params = z.object({ user_id: uuid });
const role = z.enum(roles).optional();

const UserChange = z.object({
  first_name: line().optional(),
  last_name: line().optional(),
  customer_type: z.enum(customerTypes).optional(),
  mailing: boolean.optional(),
  language: z.enum(languages).optional().meta({ description: "Language of mails to this user" }),
  phone: optionalPhone.optional(),
  city: optionalLine().optional(),
  note: note.optional(),
  shipping_method: z.enum(shippingMethods).nullable().optional(),
  shipping_company: optionalLine().optional(),
  email: email.optional().meta({ description: "Admins only" }),
  role: role.meta({ description: "Admins only" }),
  is_active: boolean.optional().meta({ description: "Admins only" }),
});

function toChange(body: z.output<typeof UserChange>): Change {
  return {
    email: body.email,
    firstName: body.first_name,
    lastName: body.last_name,
    isActive: body.is_active,
    role: body.role,
    customerType: body.customer_type,
    mailing: body.mailing,
    language: body.language,
    phone: body.phone,
    city: body.city,
    note: body.note,
    shippingMethod: body.shipping_method,
    shippingCompany: body.shipping_company,
  };
}

export const userRoutes = [
  defineRoute({
    method: "get",
    path: "/users",
    summary: "List users, newest first",
    tag,
    access: "EMPLOYEE",
    query: pageQuery().extend({
      search_term: searchTerm.default("").meta({ description: "Part of a name, the phone number or the e-mail" }),
      customer_type: z.enum(customerTypes).optional(),
      role,
    }),
    responses: { 200: pageOf(UserView), 422: InvalidRequest },
    async handle(_context, { query, profile, reader }) {
      const filter = { searchTerm: query.search_term, customerType: query.customer_type, role: query.role };
      const [rows, total] = await users.list(reader, filter, slice(query));
      const items = rows.map((user) => userView(user, profile));
      return { status: 200, body: toPage(items, total, query) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/users/meta/count",
    summary: "Count users",
    tag,
    access: "EMPLOYEE",
    query: z.object({ role }),
    responses: { 200: Count, 422: InvalidRequest },
    async handle(_context, { query, reader }) {
      return { status: 200, body: { count: await users.count(reader, query) } };
    },
  }),
  defineRoute({
    method: "get",
    path: "/users/clerk/{clerk_id}",
    summary: "Get a user by the id of the second identity provider: oneself, or any for staff",
    tag,
    access: "USER",
    params: z.object({ clerk_id: line() }),
    responses: { 200: UserView, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params: { clerk_id }, actor, profile, reader }) {
      const user = await getUserByClerkId(reader, clerk_id);
      checkOwn(actor, user.id);
      return { status: 200, body: userView(user, profile) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/users/{user_id}",
    summary: "Get a user: oneself, or any for staff",
    tag,
    access: "USER",
    params,
    responses: { 200: UserView, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params: { user_id }, actor, profile, reader }) {
      checkOwn(actor, user_id);
      return { status: 200, body: userView(await getUser(reader, user_id), profile) };
    },
  }),
  defineRoute({
    method: "patch",
    path: "/users/{user_id}",
    summary: "Update a user",
    description:
      "Accepts the whole object as it was returned: equal values, balances, ids, times and unknown keys change nothing.",
    tag,
    access: "EMPLOYEE",
    params,
    body: patchBody(UserChange),
    responses: { 200: UserView, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(_context, { params: { user_id }, body, actor, profile, commit }) {
      return commit(async (tx) => {
        const user = await users.lock(tx, user_id);
        const changes = changedFields(UserChange, body, user ? userView(user, profile) : undefined);
        if (!user) throw new NotFoundError("Entity not found");
        const changed = await changeUser(tx, { user, change: toChange(changes), by: actor.role });
        return { status: 200, body: userView(changed, profile) };
      });
    },
  }),
];
