import type { DataSource } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { beforeAll, expect } from "vitest";
import { User } from "../../src/db/entities/accounts/user.ts";
import { type JobName, jobs } from "../../src/jobs/index.ts";
import { isAtLeast, type Rank, type Right } from "../../src/services/operations/job-rights.ts";
import { type TestApi, userIds } from "./api.ts";

/** Addresses of employees who are operators, for `useApi`. */
export const operators = ["operator@test.example"];
const operatorId = "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d08";
/** Of no caller. */
const strangerId = "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d09";

type People = Record<Rank, { id: string; email: string; token: () => Promise<string> | string }>;

/** One person of each rank; addresses in other letters than the configuration has them. */
export function usePeople(api: TestApi): People {
  beforeAll(async () => {
    const name = { firstName: "О", lastName: "П", role: "EMPLOYEE" } as const;
    await api.db.manager.insert(User, { id: operatorId, email: "Operator@test.example", ...name });
  });
  return {
    customer: { id: userIds.user, email: "user@test.example", token: () => api.tokens.user },
    employee: { id: userIds.employee, email: "Employee@test.example", token: () => api.tokens.employee },
    operator: { id: operatorId, email: "OPERATOR@test.example", token: () => api.identity.token(operatorId) },
    admin: { id: userIds.admin, email: "admin@test.example", token: () => api.tokens.admin },
  };
}

/** What a door answers to a caller who wants something done. */
export type Outcome = "done" | "forbidden" | "no reason";
export interface Attempt {
  who: Rank;
  reason: string | undefined;
  /** A job, the kind to replay, or a queue. */
  what: string;
}
export type Door = (attempt: Attempt) => Promise<Outcome>;

const outcomes: Record<number, Outcome> = { 403: "forbidden", 404: "forbidden", 412: "no reason", 422: "no reason" };

/** What an HTTP status says; fails the test at one that is no answer to the question of who may. */
export const outcomeOf = (status: number): Outcome =>
  outcomes[status] ?? (status < 400 ? "done" : expect.fail(`${status}`));

/** Asks at a door with a reason and without one, and compares with what the table has. */
export async function compare(door: Door, right: Right | undefined, who: Rank, make: () => Promise<string>) {
  const isAllowed = right !== undefined && isAtLeast(who, right.minRank);
  const wanted = (reason: string | undefined): Outcome[] => {
    // A form without a field that it always needs is refused before its sender is.
    if (!isAllowed) return reason === undefined ? ["forbidden", "no reason"] : ["forbidden"];
    return [right.needsReason && reason === undefined ? "no reason" : "done"];
  };
  for (const reason of ["a test", undefined]) {
    const what = await make();
    const outcome = await door({ who, reason, what });
    expect({ who, reason, outcome }).toEqual({ who, reason, outcome: expect.toBeOneOf(wanted(reason)) });
  }
}

/** A job as the ledger has it, open or failed, of a stranger unless said otherwise; returns its id. */
export async function insertJob(
  db: DataSource,
  kind: JobName,
  { actorId = strangerId, parentId = null as string | null, isOver = false },
) {
  const id = uuidv7();
  await db.query(
    `INSERT INTO job (id, queue, kind, payload, payload_v, priority, max_failures, actor_id, parent_id, state, finished_at)
     VALUES ($1, $2, $3, '{}', 1, 50, 3, $4, $5, $6, $7)`,
    [id, jobs[kind].queue, kind, actorId, parentId, isOver ? "failed" : "open", isOver ? new Date() : null],
  );
  return id;
}
