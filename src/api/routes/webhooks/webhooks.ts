import { z } from "zod";
import { BadRequestError, ConflictError } from "../../../errors.ts";
import { buryUser, takeOverUser } from "../../../services/accounts/identity-events.ts";
import { defineRoute } from "../../http/define-route.ts";
import { email, givenName, provedBy, uuid } from "../../http/fields.ts";
import { Problem } from "../../http/problem.ts";

/** An id that passes the clients' own check, because they get it. */
const id = uuid.pipe(z.uuid());
const moment = z
  .string()
  .nullish()
  .transform((text) => (z.iso.datetime({ offset: true }).safeParse(text).success ? new Date(String(text)) : null));

const Event = z.discriminatedUnion("type", [
  z.object({
    type: z.enum(["user.created", "user.updated"]),
    data: z.object({
      id,
      email,
      first_name: givenName,
      last_name: givenName,
      image: z.string().nullish(),
      createdAt: moment,
      updatedAt: moment,
      email_verified: z.unknown().optional(),
      emailVerified: z.unknown().optional(),
    }),
  }),
  z.object({ type: z.literal("user.deleted"), data: z.object({ id }) }),
]);

const messages = { "user.created": "User created", "user.updated": "User updated", "user.deleted": "User deleted" };

function parse(bytes: Buffer) {
  try {
    return Event.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    throw new BadRequestError("Invalid payload structure");
  }
}

export const webhookRoutes = [
  defineRoute({
    method: "post",
    path: "/webhooks/better-auth",
    summary: "Receive a change of a user from the identity provider",
    description:
      "`{type, data}`: `user.created` and `user.updated` create the user or update e-mail and names, `user.deleted` " +
      "deactivates the user for good. May be repeated; an event with an older `updatedAt` than the last one changes " +
      "nothing, nor does one of a deleted user, until an admin activates that user again. With `email_verified` or " +
      "`emailVerified` false, the address is stored and neither trusted nor reserved.",
    tag: "Webhooks",
    access: "webhook",
    raw: true,
    responses: { 200: z.object({ message: z.enum(Object.values(messages)) }), 400: Problem, 409: Problem },
    async handle(context, { bytes, commit }) {
      const event = parse(bytes);
      const result = commit(async (tx) => {
        if (event.type === "user.deleted") await buryUser(tx, event.data.id);
        else {
          const { id, email, first_name: firstName, last_name: lastName, createdAt, updatedAt } = event.data;
          const changedAt = updatedAt ?? (event.type === "user.created" ? createdAt : null);
          const emailVerified = provedBy(event.data);
          const user = { id, email, emailVerified, firstName, lastName, updatedAt: changedAt };
          const maxMails = context.unprovedMailsPerDay;
          await takeOverUser(tx, user, { hasRegistered: event.type === "user.created", maxMails });
        }
        return { status: 200, body: { message: messages[event.type] } };
      });
      return result.catch((error: unknown) => {
        // The provider only logs refusals, if at all, so operators have to see this one.
        if (error instanceof ConflictError)
          context.log.warn({ event: event.type, user: event.data.id, err: error }, "an identity event was refused");
        throw error;
      });
    },
  }),
];
