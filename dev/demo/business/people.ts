import type { CustomerType } from "../../../src/db/entities/accounts/user.ts";
import { slugify } from "../../../src/services/catalogue/slug.ts";
import type { Random } from "../random.ts";
import { type DemoUser, demoUsers } from "../users.ts";
import { cities, customerNames } from "../words.ts";
import type { Calendar } from "./calendar.ts";
import type { UserRow } from "./rows.ts";

type Balances = Pick<UserRow, "balanceRub" | "balanceUsd" | "balanceEur" | "balanceTry">;

/** A user before anything was bought. */
export interface Person extends Omit<UserRow, keyof Balances> {
  /** Then the type became the one of today. */
  retailUntil?: string;
  /** Then the account was closed. */
  activeUntil?: string;
}

export interface People {
  admin: Person;
  employee: Person;
  /** One of each type, whose tokens a developer has. */
  demoCustomers: readonly Person[];
  customers: readonly Person[];
  /** Brings the goods, and is paid through the balance. */
  supplier: Person;
}

/** In turn: half of the customers buy for themselves. */
const types: readonly CustomerType[] = [
  "USER_RETAIL",
  "USER_WHOLESALE",
  "USER_RETAIL",
  "USER_SUPER_WHOLESALE",
  "USER_RETAIL",
  "USER_WHOLESALE",
];

/** The demo users and about thirty customers more; one was promoted, one has left, one has a second identity. */
export function makePeople(random: Random, calendar: Calendar): People {
  const [admin, employee, ...demoCustomers] = demoUsers.map(fromDemoUser);
  if (!admin || !employee) throw new Error("The demo users have to begin with an admin and an employee");
  const customers = customerNames.map((name, index) => makeCustomer(random, calendar, name, index));
  return {
    admin,
    employee,
    demoCustomers,
    customers: customers.map((person, index) => ({ ...person, ...peculiarities[index] })),
    supplier: {
      ...makeCustomer(random, calendar, "База Прибой", customers.length),
      customerType: "USER_SUPER_WHOLESALE",
      createdAt: calendar.onDay("2026-05-05", "2026-05-06"),
      note: "поставщик",
      mailing: false,
    },
  };
}

const peculiarities: Partial<Record<number, Partial<Person>>> = {
  1: { retailUntil: "2026-08-17T08:20:31.417Z" },
  2: { activeUntil: "2026-10-05T09:41:12.083Z", isActive: false, note: "просил закрыть кабинет" },
  4: { clerkId: "user_demoCustomer" },
};

function makeCustomer(random: Random, calendar: Calendar, name: string, index: number): Person {
  const [firstName = "", lastName = ""] = name.split(" ");
  // The first ones exist from the beginning, so that early orders find a customer.
  const createdAt =
    index < 14 ? calendar.onDay("2026-05-05", "2026-05-15") : calendar.onDay("2026-05-18", "2026-10-28");
  const shippingMethod = random.pick(["CARGO", "SELF_PICKUP", "OTHER", null] as const);
  return {
    id: random.uuid(),
    clerkId: null,
    email: `${slugify(firstName)}.${slugify(lastName)}@example.com`,
    emailVerified: null,
    firstName,
    lastName,
    isActive: true,
    role: "USER",
    customerType: types[index % types.length] ?? "USER_RETAIL",
    language: "ru",
    mailing: random.chance(0.4),
    phone: `+7978000${1000 + 37 * index}`,
    city: random.pick(cities).name,
    note: null,
    shippingMethod,
    shippingCompany: shippingMethod === "CARGO" ? random.pick(["CDEK", "KIT"]) : null,
    createdAt,
    updatedAt: createdAt,
  };
}

function fromDemoUser(user: DemoUser): Person {
  const nothing = {
    emailVerified: null,
    language: "ru",
    mailing: false,
    note: null,
    shippingMethod: null,
    shippingCompany: null,
  } as const;
  return { ...user, ...nothing, isActive: true, updatedAt: user.createdAt };
}
