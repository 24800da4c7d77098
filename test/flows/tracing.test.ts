import { randomUUID } from "node:crypto";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startTracing, traceIdOf } from "../../src/platform/tracing.ts";
import { call, sendCategory, useApi, useWorker } from "../support/api.ts";
import { testJob, useEngine } from "../support/engine.ts";
import { flatJpeg } from "../support/images.ts";

const exporter = new InMemorySpanExporter();
let tracing: ReturnType<typeof startTracing>;
const opened = new Set<string>();

/** Remembers what began and did not end. */
class Watching extends SimpleSpanProcessor {
  override onStart(...args: Parameters<SimpleSpanProcessor["onStart"]>) {
    opened.add(args[0].spanContext().spanId);
    super.onStart(...args);
  }
  override onEnd(span: ReadableSpan) {
    opened.delete(span.spanContext().spanId);
    super.onEnd(span);
  }
}

beforeAll(() => {
  const processor = new Watching({ exporter });
  tracing = startTracing({ endpoint: undefined, service: "test", version: "1", ratio: 1, processor });
});
afterAll(async () => {
  await tracing.close();
  expect([...opened], "spans that never ended").toEqual([]);
});
beforeEach(() => exporter.reset());

const spansOf = (traceId: string) =>
  exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
const named = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);
const only = (name: string) => {
  const [span, ...others] = named(name);
  expect(others, `more than one '${name}'`).toEqual([]);
  if (!span) throw new Error(`there is no '${name}' among ${exporter.getFinishedSpans().map((one) => one.name)}`);
  return span;
};

describe("the trace of a request", () => {
  const api = useApi();
  useWorker(api);

  test("goes on in the worker, under the id that the answer names", async () => {
    const answer = await sendCategory(api, { name: "Traced", image: await flatJpeg(), fileName: "photo.jpg" });
    expect(answer.status).toBe(201);
    const request = String(answer.headers.get("x-request-id"));
    await vi.waitFor(() => only("process-image"), 15_000);

    const traceId = request.replaceAll("-", "");
    const root = only("POST /categories");
    const run = only("process-image");
    expect(root.spanContext().traceId).toBe(traceId);
    expect(root.parentSpanContext).toBeUndefined();
    expect(root.attributes).toMatchObject({ "http.route": "/categories", "http.response.status_code": 201 });
    expect(run.parentSpanContext?.spanId).toBe(root.spanContext().spanId);
    expect(run.attributes).toMatchObject({ "messaging.destination.name": "images", "job.outcome": "succeeded" });
    expect(only("images queued").parentSpanContext?.spanId).toBe(root.spanContext().spanId);

    const below = (span: ReadableSpan) =>
      spansOf(traceId)
        .filter(({ parentSpanContext }) => parentSpanContext?.spanId === span.spanContext().spanId)
        .map(({ name }) => name);
    expect(below(root)).toEqual(expect.arrayContaining(["S3 PutObject", "commit"]));
    expect(below(run)).toEqual(expect.arrayContaining(["S3 GetObject", "S3 PutObject", "commit"]));
  });

  test("says that the caller was wrong without calling it an error of ours", async () => {
    const answer = await call(`${api.url}/categories/${randomUUID()}`);
    expect(answer.status).toBe(404);
    const span = only("GET /categories/{category_id}");
    expect(span.attributes).toMatchObject({ "http.response.status_code": 404, "error.type": "NotFoundError" });
    expect(JSON.stringify(span.status)).not.toContain("not found");
  });
});

describe("the trace of a job", () => {
  const flaky = testJob("flaky");
  const request = randomUUID();
  const runs = new Map<string, number>();
  const engine = useEngine([flaky], {
    run: {
      flaky: async ({ id }) => {
        const run = (runs.get(id) ?? 0) + 1;
        runs.set(id, run);
        if (run < 2) throw new Error("secret: hunter2");
      },
    },
  });

  test("that is tried again is another one, linked to the request's", async () => {
    engine.origin = { ...engine.origin, traceId: request as never };
    const id = await engine.promise(flaky, { id: randomUUID() });
    await vi.waitFor(() => expect(named("flaky")).toHaveLength(2), 15_000);
    const [first, second] = named("flaky");
    expect(first?.spanContext().traceId).toBe(traceIdOf(request));
    expect(first?.attributes).toMatchObject({ "messaging.message.id": id, "job.outcome": "retried" });
    expect(second?.spanContext().traceId).not.toBe(traceIdOf(request));
    expect(second?.parentSpanContext).toBeUndefined();
    expect(second?.links.map(({ context }) => context.traceId)).toEqual([traceIdOf(request)]);
    expect(
      JSON.stringify(exporter.getFinishedSpans().map(({ attributes, status }) => ({ attributes, status }))),
    ).not.toContain("hunter2");
  });

  test("that is a part of another is a trace of its own, linked to the request's", async () => {
    const asked = randomUUID();
    engine.origin = { ...engine.origin, traceId: asked as never };
    const parentId = await engine.promise(flaky, { id: randomUUID() });
    const part = await engine.promise(flaky, { id: randomUUID() }, { parentId });
    const firstOf = () => named("flaky").find(({ attributes }) => attributes["messaging.message.id"] === part);
    await vi.waitFor(() => expect(firstOf()).toBeDefined(), 15_000);
    expect(firstOf()?.spanContext().traceId).not.toBe(traceIdOf(asked));
    expect(firstOf()?.links.map(({ context }) => context.traceId)).toEqual([traceIdOf(asked)]);
    await vi.waitFor(() => expect(named("flaky")).toHaveLength(4), 15_000);
  });

  test("without a request has the job's own id", async () => {
    engine.origin = { ...engine.origin, traceId: null };
    const id = await engine.promise(flaky, { id: randomUUID() });
    await vi.waitFor(() => expect(named("flaky")).toHaveLength(2), 15_000);
    expect(named("flaky")[0]?.spanContext().traceId).toBe(traceIdOf(id));
  });
});
