/** Which products; deleted ones or the others. */
export interface ProductFilter {
  isDeleted: boolean;
  subCategoryId?: string | undefined;
}

/** Which offers; those of a deleted product count as neither. */
export interface OfferFilter {
  isDeleted: boolean;
  productId?: string | undefined;
  inStock?: boolean | undefined;
  /** With a picture of its own or of its product, or without. */
  hasImage?: boolean | undefined;
}

/** A condition of SQL; `shape` is the same where the text is. */
export interface Where {
  sql: string;
  values: unknown[];
  shape: string;
}

/** What a filter means for `products p`; its values start at `$first`. */
export function productsWhere({ isDeleted, subCategoryId }: ProductFilter, first: number): Where {
  const parts: Part[] = [[isDeleted ? "p.is_deleted" : "NOT p.is_deleted", isDeleted ? "deleted" : "shown"]];
  if (subCategoryId !== undefined) parts.push([`p.sub_category_id = $${first}`, "shelf", subCategoryId]);
  return joined(parts);
}

/** What a filter means for `offers o JOIN products p`; its values start at `$first`. */
export function offersWhere({ isDeleted, productId, inStock, hasImage }: OfferFilter, first: number): Where {
  const parts: Part[] = [isDeleted ? ["o.is_deleted", "deleted"] : ["NOT o.is_deleted AND NOT p.is_deleted", "shown"]];
  if (productId !== undefined) parts.push([`o.product_id = $${first}`, "product", productId]);
  if (inStock) parts.push(["o.quantity > 0", "stock"]);
  if (hasImage !== undefined)
    parts.push([`${hasImage ? "" : "NOT "}(${pictured("o")} OR ${pictured("p")})`, `image-${hasImage}`]);
  return joined(parts);
}

type Part = [sql: string, shape: string, ...values: unknown[]];

const pictured = (t: string) => `${t}.image_id IS NOT NULL OR coalesce(${t}.image_url, '') <> ''`;

function joined(parts: Part[]): Where {
  return {
    sql: `WHERE ${parts.map(([sql]) => sql).join(" AND ")}`,
    values: parts.flatMap(([, , ...values]) => values),
    shape: parts.map(([, shape]) => shape).join("-"),
  };
}
