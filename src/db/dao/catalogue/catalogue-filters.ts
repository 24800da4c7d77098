/** A filter of products; of deleted ones or of the others. */
export interface ProductFilter {
  isDeleted: boolean;
  subCategoryId?: string | undefined;
}

/** A filter of offers; those of a deleted product count as neither shown nor deleted. */
export interface OfferFilter {
  isDeleted: boolean;
  productId?: string | undefined;
  inStock?: boolean | undefined;
  /** With a picture of its own or of its product, or without. */
  hasImage?: boolean | undefined;
}

/** A condition of SQL; conditions with the same text have the same `shape`. */
export interface Where {
  sql: string;
  values: unknown[];
  shape: string;
}

/** The condition of a filter for `products p`; its values start at `$first`. */
export function productsWhere({ isDeleted, subCategoryId }: ProductFilter, first: number): Where {
  const parts: Part[] = [[isDeleted ? "p.is_deleted" : "NOT p.is_deleted", isDeleted ? "deleted" : "shown"]];
  if (subCategoryId !== undefined) parts.push([`p.sub_category_id = $${first}`, "shelf", subCategoryId]);
  return joined(parts);
}

/** The condition of a filter for `offers o`; its values start at `$first`. */
export function offersWhere({ isDeleted, productId, inStock, hasImage }: OfferFilter, first: number): Where {
  const parts: Part[] = [isDeleted ? ["o.is_deleted", "deleted"] : [`NOT o.is_deleted AND ${ofShownProduct}`, "shown"]];
  if (productId !== undefined) parts.push([`o.product_id = $${first}`, "product", productId]);
  if (inStock) parts.push(["o.quantity > 0", "stock"]);
  if (hasImage !== undefined) parts.push([hasImage ? offerImage : `NOT ${offerImage}`, `image-${hasImage}`]);
  return joined(parts);
}

/** Few products are deleted, and an index has them: this costs less than reading those that are not. */
const ofShownProduct = "NOT EXISTS (SELECT FROM products d WHERE d.id = o.product_id AND d.is_deleted)";

const hasPicture = (t: string) => `${t}.image_id IS NOT NULL OR coalesce(${t}.image_url, '') <> ''`;
const offerImage = `(${hasPicture("o")} OR o.product_id IN (SELECT p.id FROM products p WHERE ${hasPicture("p")}))`;

type Part = [sql: string, shape: string, ...values: unknown[]];

function joined(parts: Part[]): Where {
  return {
    sql: `WHERE ${parts.map(([sql]) => sql).join(" AND ")}`,
    values: parts.flatMap(([, , ...values]) => values),
    shape: parts.map(([, shape]) => shape).join("-"),
  };
}
