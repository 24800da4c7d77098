import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { routes } from "../../../src/api/routes/index.ts";
import { Mail } from "../../../src/db/entities/mail/mail.ts";
import { useApi } from "../../support/api.ts";
import { asker } from "../../support/ask.ts";
import { addOffer } from "../../support/catalogue.ts";
import { addOrder } from "../../support/orders.ts";
import { addUser } from "../../support/users.ts";
import { addWaybill } from "../../support/waybills.ts";

const api = useApi({ relay: false });
const ask = asker(api);

/** At least one of them is valid for each field that takes a text. */
const samples = [
  ...["a", "5", "true", "2026-11-30", "2026-11-30T10:00:00Z", "image", "order-received", "queue-name"],
  ...["2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071", "a@example.com", "+79780424666", "https://ford-parts.com.ru/a"],
];

interface Field {
  name: string;
  schema: z.ZodType;
}

/** The fields inside a schema: those of its objects, the items of its lists. */
function fieldsIn({ name, schema }: Field): Field[] {
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, one]) =>
      fieldsIn({ name: `${name}.${key}`, schema: one }),
    );
  if (schema instanceof z.ZodArray) return fieldsIn({ name: `${name}[]`, schema: schema.element as z.ZodType });
  if (schema instanceof z.ZodUnion) {
    const options = schema.options as z.ZodType[];
    if (options.some((one) => one instanceof z.ZodObject))
      return options.flatMap((one) => fieldsIn({ name, schema: one }));
  }
  const { innerType, out } = schema.def as { innerType?: z.ZodType; out?: z.ZodType };
  const inner = innerType ?? out;
  const within = inner ? fieldsIn({ name, schema: inner }) : [];
  // Its own checks are part of it, so a plain field is tried as a whole.
  return within.length === 0 || within.every((one) => one.name === name) ? [{ name, schema }] : within;
}

const fields = routes.flatMap(({ method, path, params, query, body }) =>
  Object.entries({ params, query, body }).flatMap(([part, schema]) =>
    schema ? fieldsIn({ name: `${method.toUpperCase()} ${path} ${part}`, schema }) : [],
  ),
);

/** The texts that a field reads differently when there are blanks around them. */
function spoiltByBlanks({ schema }: Field) {
  return samples.filter((text) => {
    const [plain, padded] = [schema.safeParse(text), schema.safeParse(` \u00a0${text}  `)];
    return plain.success && padded.success && JSON.stringify(plain.data) !== JSON.stringify(padded.data);
  });
}

test("every field of every route that takes a text takes it without the blanks around it", () => {
  expect(fields.length).toBeGreaterThan(200);
  expect(fields.filter((field) => spoiltByBlanks(field).length > 0).map(({ name }) => name)).toEqual([]);
});

describe.each(["", "/warehouse"])("under the path '%s/'", (base) => {
  const word = `слово${randomUUID().slice(0, 8)}`;
  const searches = {
    users: "search_term",
    orders: "search_term",
    waybills: "search_term",
    "products/search/wildcard": "search_term",
    "products/search/fts": "search_term",
    "offers/search/wildcard": "search_term",
    "offers/search/fts": "search_term",
    "offers/search/text_search": "search_term",
    mail: "recipient",
  };

  beforeAll(async () => {
    const user = await addUser(api.db, { lastName: word });
    const { id: orderId } = await addOrder(api.db, { userId: user.id, note: word });
    await addWaybill(api.db, { orderId, customerId: user.id, note: word });
    await addOffer(api.db, { product: { name: word } });
    const mail = { sendKey: word + base, kind: "welcome", recipient: word };
    await api.db.manager.insert(Mail, { ...mail, id: randomUUID() });
  });

  test.each(Object.entries(searches))(
    "a search of /%s finds as much with blanks around the term",
    async (path, name) => {
      const find = async (term: string) =>
        (await ask(`GET ${base}/${path}?${name}=${encodeURIComponent(term)}`, { as: "admin" })).body.total;
      const total = await find(word);
      expect(total).toBeGreaterThan(0);
      for (const term of [` ${word}`, `${word}  `, `\t${word}\u00a0`]) expect(await find(term), term).toBe(total);
    },
  );
});
