import { opened } from "./business/calendar.ts";

/** A person who can log in to the local stack; the ids are the subjects of the demo tokens. */
export interface DemoUser {
  id: string;
  /** Subject of the tokens of the second issuer, which the warehouse client uses. */
  clerkId: string | null;
  email: string;
  firstName: string;
  lastName: string;
  role: "ADMIN" | "EMPLOYEE" | "USER";
  customerType: "USER_RETAIL" | "USER_WHOLESALE" | "USER_SUPER_WHOLESALE";
  phone: string;
  city: string;
  createdAt: string;
}

/** One user of each role and of each customer type; names and addresses are invented. */
export const demoUsers: readonly DemoUser[] = [
  {
    id: "b1554d39-8532-4875-955d-174196fd5ad8",
    clerkId: "user_demoAdmin",
    email: "admin@example.com",
    firstName: "Вера",
    lastName: "Морозова",
    role: "ADMIN",
    customerType: "USER_RETAIL",
    phone: "+79780000001",
    city: "Севастополь",
    createdAt: opened,
  },
  {
    id: "5066c67d-4c73-4740-bd91-6b1ed53415de",
    clerkId: "user_demoEmployee",
    email: "employee@example.com",
    firstName: "Глеб",
    lastName: "Сомов",
    role: "EMPLOYEE",
    customerType: "USER_RETAIL",
    phone: "+79780000002",
    city: "Севастополь",
    createdAt: opened,
  },
  {
    id: "323a6c8c-d744-48a0-9713-a50b642eae0b",
    clerkId: null,
    email: "retail@example.com",
    firstName: "Инна",
    lastName: "Ветрова",
    role: "USER",
    customerType: "USER_RETAIL",
    phone: "+79780000003",
    city: "Симферополь",
    createdAt: opened,
  },
  {
    id: "a89ebe7a-3702-430b-8698-2ed541bb2c15",
    clerkId: null,
    email: "wholesale@example.com",
    firstName: "Тимур",
    lastName: "Заречный",
    role: "USER",
    customerType: "USER_WHOLESALE",
    phone: "+79780000004",
    city: "Ялта",
    createdAt: opened,
  },
  {
    id: "6ed8576e-bdab-4df2-ae12-c00bc5da2619",
    clerkId: null,
    email: "super-wholesale@example.com",
    firstName: "Лидия",
    lastName: "Карпенко",
    role: "USER",
    customerType: "USER_SUPER_WHOLESALE",
    phone: "+79780000005",
    city: "Феодосия",
    createdAt: opened,
  },
];
