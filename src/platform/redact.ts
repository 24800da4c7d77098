/** Starts only where no character of a local part precedes, so that a long text without an @ is read once. */
const email = /(?<![\p{L}\d._%+-])([._%+-]*[\p{L}\d])[\p{L}\d._%+-]*@([\p{L}\d])[\p{L}\d.-]*\.([\p{L}]{2,})/giu;
/** About eleven digits that are not part of an id. */
const phone = /(?<![\w-])\+?\d[\d ()-]{8,16}\d(?![\w-])/g;
/** The characters of a signed link or a token. */
const secret = /\b(Bearer\s+|X-Amz-Signature=|token=)[\w.~+/=-]{8,}/gi;

/** A text without people's addresses, telephone numbers and signatures, for callers who may only read. */
export function redact(text: string): string {
  return text
    .replaceAll(secret, "$1…")
    .replaceAll(email, "$1…@$2….$3")
    .replaceAll(phone, (digits) => `${digits.slice(0, 2)}…${digits.slice(-2)}`);
}

/** As `redact`, for all strings in a value made of JSON. */
export function redactAll<T>(value: T): T {
  if (typeof value === "string") return redact(value) as T;
  if (Array.isArray(value)) return value.map(redactAll) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, redactAll(one)])) as T;
}
