import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import express, { type RequestHandler } from "express";
import { afterEach, describe, expect, test, vi } from "vitest";
import { auditWhenDone } from "../../../src/api/board/audit-when-done.ts";
import { AuditEntry } from "../../../src/db/entities/audit/audit-entry.ts";
import { useApi, userIds } from "../../support/api.ts";

const api = useApi({ relay: false });
const board = "/admin/queues";
afterEach(() => api.db.query("DELETE FROM queue_pause"));

/** Sends a request and hangs up as soon as `isUnderWay` says so. */
async function hangUp(path: string, isUnderWay: () => Promise<unknown>, url = api.url) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  const head = [
    `PUT ${path} HTTP/1.1`,
    "host: localhost",
    `authorization: Bearer ${api.tokens.admin}`,
    "x-reason: a-test",
    "content-length: 0",
    "\r\n",
  ];
  socket.write(head.join("\r\n"));
  await isUnderWay();
  socket.resetAndDestroy();
  await once(socket, "close");
  // The server has to see it, too.
  await sleep(100);
}

const statusesOf = async (path: string) => {
  const rows = await api.db.manager.find(AuditEntry, { order: { createdAt: "ASC" } });
  return rows.filter(({ endpoint }) => endpoint.endsWith(path)).map(({ status, payload }) => [status, payload?.reason]);
};

async function waitsForLock() {
  const sql = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  await vi.waitFor(async () => expect(await api.db.query(sql)).not.toEqual([]), 10_000);
}

describe("an act by a visitor who hangs up before it is done", () => {
  /** What the database does with it in the end. */
  test.each([
    ["done", 200, [], []],
    [
      "not done, because it fails",
      500,
      ["ALTER TABLE queue_pause RENAME TO lost_pause"],
      ["ALTER TABLE lost_pause RENAME TO queue_pause"],
    ],
  ])("is entered as what it is: %s", async (what, status, before, after) => {
    const path = `${board}/api/queues/${what === "done" ? "images" : "documents"}/pause`;
    const holder = api.db.createQueryRunner();
    await holder.startTransaction();
    await holder.query("LOCK TABLE queue_pause IN ACCESS EXCLUSIVE MODE");
    await hangUp(path, waitsForLock);
    expect(await statusesOf(path), "before its outcome is known").toEqual([]);
    for (const sql of before) await holder.query(sql);
    await holder.commitTransaction();
    await vi.waitFor(async () => expect(await statusesOf(path)).toEqual([[status, "a-test"]]), 10_000);
    for (const sql of after) await holder.query(sql);
    await holder.release();
    await sleep(200);
    expect(await statusesOf(path)).toHaveLength(1);
    expect(await api.db.query("SELECT queue FROM queue_pause")).toHaveLength(what === "done" ? 1 : 0);
  });
});

describe("an act that is not answered", () => {
  /** A server whose one route audits as the board does; `answer` is called for each request. */
  async function serve(
    path: string,
    answer: RequestHandler,
    { patienceMs = 60_000, stopping = new AbortController() },
  ) {
    const operator = { id: userIds.admin, rank: "admin", reason: "a-test" } as const;
    const context = { ...api.context, stopping: stopping.signal };
    let hasCome = false;
    const app = express().put(path, (req, res, next) => {
      const pressing = { operator, traceId: "t", act: undefined };
      auditWhenDone(req, res, { context, pressing, method: "PUT", route: board, patienceMs });
      hasCome = true;
      return answer(req, res, next);
    });
    const server = createServer(app);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await hangUp(path, () => vi.waitFor(() => expect(hasCome).toBe(true)), url);
    return () => server.close();
  }

  test("is entered with 499 when nothing more is to be expected", async () => {
    const close = await serve("/never", () => {}, { patienceMs: 300 });
    expect(await statusesOf("/never")).toEqual([]);
    await vi.waitFor(async () => expect(await statusesOf("/never")).toEqual([[499, "a-test"]]), 10_000);
    close();
  });

  test("is entered with 499 when the process stops", async () => {
    const stopping = new AbortController();
    const close = await serve("/stopped", () => {}, { stopping });
    expect(await statusesOf("/stopped")).toEqual([]);
    stopping.abort();
    await vi.waitFor(async () => expect(await statusesOf("/stopped")).toEqual([[499, "a-test"]]), 10_000);
    close();
  });

  test("is entered with its outcome as well when that comes very late", async () => {
    const late: RequestHandler = (_req, res) => void setTimeout(() => res.status(409).end(), 1_000);
    const close = await serve("/late", late, { patienceMs: 100 });
    const both = [499, 409].map((status) => [status, "a-test"]);
    await vi.waitFor(async () => expect(await statusesOf("/late")).toEqual(both), 10_000);
    close();
  });
});
