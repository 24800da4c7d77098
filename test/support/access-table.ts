/** Who sends a request of the access test. */
export const callers = [
  ...["anonymous", "user", "other", "employee", "admin", "inactive", "expired"],
  ...["api-key", "wrong-key", "provider", "wrong-provider", "printer"],
] as const satisfies string[];
export type Caller = "anonymous" | "user" | "other" | "employee" | "admin" | "inactive" | "expired" | Program;
type Program = "api-key" | "wrong-key" | "provider" | "wrong-provider" | "printer";

/** Names for those who may do the same. */
export const admissions = {
  everybody: callers,
  /** A token is not needed, but one that is sent has to be good. */
  "everybody but bad tokens": callers.filter((caller) => caller !== "inactive" && caller !== "expired"),
  users: ["user", "other", "employee", "admin"],
  /** The user whom it belongs to, here `user`. */
  "its owner and staff": ["user", "employee", "admin"],
  staff: ["employee", "admin"],
  "staff and printers": ["employee", "admin", "printer"],
  admins: ["admin"],
  programs: ["api-key"],
  "the identity provider": ["provider"],
} as const satisfies Record<string, readonly Caller[]>;
export type Admission = keyof typeof admissions;

/** Who is let in, by route; written by hand from the wire contract, never derived from the code. */
export const accessTable: Record<string, Admission> = {
  "GET /categories": "everybody",
  "GET /categories/slug/{slug}": "everybody",
  "GET /categories/{category_id}": "everybody",
  "POST /categories": "staff",
  "PATCH /categories/{category_id}": "staff",
  "DELETE /categories/{category_id}": "admins",
  "GET /jobs/{job_id}": "users",
};
