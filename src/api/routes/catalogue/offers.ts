import { z } from "zod";
import { offersOf } from "../../../db/dao/catalogue/catalogue-search.ts";
import { dropCatalogue } from "../../../platform/cache-tags.ts";
import { changeOffer, createOffer, deleteOffer, restoreOffer } from "../../../services/catalogue/offers.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, line, note, optionalLine, required, roubles, uuid } from "../../http/fields.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { NestedOffer, OfferDetail, showOffer } from "../../views/offer.ts";
import { productIdOf } from "../../views/product.ts";
import { cachedPage, offerPage } from "./lists.ts";
import { foundOffers } from "./searches.ts";
import { answerWrite, changeProblems, deleteProblems, writeProblems } from "./with-image.ts";

const tag = "Offers";
const image = { field: "image_blob", folder: "offers", required: false };
const params = z.object({ offer_id: uuid });
const shown = { entity: "offer", show: showOffer } as const;
const accepts = ["json", "form"] as const;
/** More than any cart has. */
const maxIds = 1_000;

const optional = {
  sku: optionalLine().optional().meta({ description: "Shelf address or stock code" }),
  address_id: optionalLine().optional().meta({ description: "The same; sku takes precedence" }),
  internal_description: note.optional(),
};

const NewOffer = z.object({
  product_id: required(uuid),
  brand: required(line()),
  manufacturer_number: required(line()),
  price_rub: required(roubles),
  super_wholesale_price_rub: required(roubles),
  ...optional,
});

const OfferChange = z.object({
  product_id: uuid.optional(),
  brand: line().optional(),
  manufacturer_number: line().optional(),
  price_rub: roubles.optional(),
  super_wholesale_price_rub: roubles.optional(),
  ...optional,
});

/** The fields that are optional in both. */
function optionalValues({ sku, address_id, internal_description }: z.output<typeof OfferChange>) {
  return { sku: sku === undefined ? address_id : sku, internalDescription: internal_description };
}

export const offerRoutes = [
  defineRoute({
    method: "get",
    path: "/offers",
    summary: "List offers, all or those of a product",
    tag,
    access: "public",
    cache: "public",
    query: pageQuery().extend({
      product_id: uuid.optional(),
      product_slug: line(2_000).optional().meta({ description: "Instead of product_id" }),
      is_deleted: boolean.default(false),
    }),
    responses: { 200: pageOf(NestedOffer), 404: Problem, 422: InvalidRequest },
    async handle(context, { query, reader }) {
      const { page, size, product_id: id, product_slug: slug, is_deleted: isDeleted } = query;
      const key = `offers:${isDeleted}:${id ?? `/${slug ?? ""}`}:${page}:${size}`;
      return cachedPage(context, key, async () => {
        const productId = id ?? (slug === undefined ? undefined : await productIdOf(reader, slug));
        return offerPage(context, reader, { isDeleted, productId }, query);
      });
    },
  }),
  defineRoute({
    method: "get",
    path: "/offers/{offer_id}",
    summary: "Get an offer by id, also a deleted one",
    tag,
    access: "public",
    cache: "public",
    params,
    responses: { 200: OfferDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { offer_id }, reader }) {
      return { status: 200, body: await showOffer(context, reader, offer_id) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/offers/by-ids",
    summary: "Get those of these offers that can be bought",
    tag,
    access: "public",
    query: pageQuery(),
    body: z.array(uuid).max(maxIds),
    responses: { 200: pageOf(NestedOffer), 422: InvalidRequest },
    async handle(context, { body, query, reader }) {
      const found = await foundOffers(context, reader, offersOf(body), query);
      return { status: 200, body: found.body };
    },
  }),
  defineRoute({
    method: "post",
    path: "/offers",
    summary: "Create an offer, without stock",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    accepts,
    body: NewOffer,
    image,
    responses: { 201: OfferDetail, ...writeProblems },
    async handle(context, { body, image, commit, wait }) {
      const { sku = null, internalDescription = null } = optionalValues(body);
      const values = {
        productId: body.product_id,
        brand: body.brand,
        manufacturerNumber: body.manufacturer_number,
        priceRub: body.price_rub,
        superWholesalePriceRub: body.super_wholesale_price_rub,
      };
      const result = await commit(async (tx) => {
        const id = await createOffer(tx, { ...values, sku, internalDescription, image });
        return { status: 201, body: await showOffer(context, tx, id) };
      });
      return answerWrite(context, shown, result, wait);
    },
  }),
  defineRoute({
    method: "patch",
    path: "/offers/{offer_id}",
    summary: "Update an offer, except its stock",
    tag,
    access: "EMPLOYEE",
    params,
    accepts,
    body: OfferChange,
    image,
    responses: { 200: OfferDetail, ...changeProblems },
    async handle(context, { params: { offer_id: id }, body, image, commit, wait }) {
      const change = {
        productId: body.product_id,
        brand: body.brand,
        manufacturerNumber: body.manufacturer_number,
        priceRub: body.price_rub,
        superWholesalePriceRub: body.super_wholesale_price_rub,
        ...optionalValues(body),
      };
      const result = await commit(async (tx) => {
        await changeOffer(tx, id, { ...change, image });
        return { status: 200, body: await showOffer(context, tx, id) };
      });
      return answerWrite(context, shown, result, image && wait);
    },
  }),
  defineRoute({
    method: "delete",
    path: "/offers/{offer_id}",
    summary: "Delete an offer; old orders keep it",
    tag,
    access: "ADMIN",
    params,
    responses: { 204: z.null(), ...deleteProblems },
    async handle(context, { params: { offer_id }, commit }) {
      const result = await commit(async (tx) => {
        await deleteOffer(tx, offer_id);
        return { status: 204 };
      });
      void dropCatalogue(context.cache, "offer");
      return result;
    },
  }),
  defineRoute({
    method: "post",
    path: "/offers/{offer_id}/restore",
    summary: "Restore a deleted offer",
    description: "409 while its product is deleted. May be repeated. `GET /offers?is_deleted=true` lists deleted ones.",
    tag,
    access: "EMPLOYEE",
    params,
    responses: { 200: OfferDetail, ...deleteProblems, 409: Problem },
    async handle(context, { params: { offer_id: id }, commit }) {
      const result = await commit(async (tx) => {
        await restoreOffer(tx, id);
        return { status: 200, body: await showOffer(context, tx, id) };
      });
      void dropCatalogue(context.cache, "offer");
      return result;
    },
  }),
];
