import { createHash } from "node:crypto";
import {
  type Attributes,
  context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  RandomIdGenerator,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Log } from "./logger.ts";
import { tlsFault } from "./tls.ts";

/** How long a shutdown waits for a collector that is unavailable. */
const exportMs = 2_000;

export interface TracingOptions {
  /** Base address of an OTLP collector over HTTP; absent: no tracing. */
  endpoint: string | undefined;
  /** Sent to the collector with each request. */
  headers?: Record<string, string> | undefined;
  service: string;
  version: string | null;
  /** Share of traces that are kept, 0 to 1; every process decides the same about one trace. */
  ratio: number;
  /** Told once when the collector does not take the spans, and when it does again. */
  log?: Pick<Log, "warn" | "info"> | undefined;
  /** Where spans go instead of a collector. */
  processor?: SpanProcessor | undefined;
}

/** Where a span belongs; absent: below the span that is running. */
export type Place =
  /** The first span of the trace of this request. */
  | { begins: string }
  /** In the trace of this request, below its first span. */
  | { continues: string }
  /** A trace of its own, because the work repeats or is numerous, linked to that of this request. */
  | { follows: string };

export interface Traced {
  kind?: "server" | "client" | "producer" | "consumer";
  place?: Place;
  attributes?: Attributes;
  /** When it began, in milliseconds since 1970; absent: now. */
  startTime?: number;
}

let tracer: Tracer | undefined;
/** Ids of the next span, where they are not random. */
let planned: Pick<SpanContext, "traceId" | "spanId"> | undefined;

/** Traces this process until `close`; without a collector it does nothing, and `traced` costs nothing. */
export function startTracing({ endpoint, headers, service, version, ratio, log, processor }: TracingOptions) {
  if (!endpoint && !processor) return { close: async () => undefined };
  const exporter = () =>
    observed(
      new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers: headers ?? {}, timeoutMillis: exportMs }),
      log,
    );
  const random = new RandomIdGenerator();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service, "service.version": version ?? "unknown" }),
    sampler: new TraceIdRatioBasedSampler(ratio),
    idGenerator: {
      generateTraceId: () => planned?.traceId ?? random.generateTraceId(),
      generateSpanId: () => planned?.spanId ?? random.generateSpanId(),
    },
    spanProcessors: [processor ?? new BatchSpanProcessor({ exporter: exporter(), exportTimeoutMillis: exportMs })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  tracer = provider.getTracer(service);
  return {
    /** Sends the last spans. */
    async close() {
      tracer = undefined;
      await provider.shutdown().catch(() => undefined);
      context.disable();
    },
  };
}

/** The exporter, whose library keeps every failure to itself. */
function observed(exporter: SpanExporter, log: TracingOptions["log"]): SpanExporter {
  let isFailing = false;
  const send = exporter.export.bind(exporter);
  exporter.export = (spans, done) =>
    send(spans, (result) => {
      const { error } = result;
      const fault = tlsFault(error, "the collector of OTEL_EXPORTER_OTLP_ENDPOINT");
      if (error && !isFailing)
        log?.warn({ err: error }, fault ?? "The collector does not take traces; they are dropped");
      if (!error && isFailing) log?.info("The collector takes traces again");
      isFailing = error !== undefined;
      done(result);
    });
  return exporter;
}

/**
 * Runs `work` as a span of the trace. The trace shows only the name of an error that it throws: messages may quote a
 * client's data.
 */
export function traced<T>(name: string, span: Traced, work: () => Promise<T>): Promise<T> {
  return tracer ? tracedBy(tracer, name, span, work) : work();
}

async function tracedBy<T>(by: Tracer, name: string, span: Traced, work: () => Promise<T>): Promise<T> {
  const opened = open(by, name, span);
  try {
    return await context.with(trace.setSpan(context.active(), opened), work);
  } catch (error) {
    opened.setAttribute("error.type", error instanceof Error ? error.name : typeof error);
    opened.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    opened.end();
  }
}

/** False: spans have no recipient. */
export const isTracing = () => tracer !== undefined;

/** As `traced`, for work that is over already. */
export function tracedUntil(endTime: number, name: string, span: Traced) {
  if (tracer) open(tracer, name, span).end(endTime);
}

/** Adds to the span that is running. */
export function annotate(attributes: Attributes) {
  if (tracer) trace.getActiveSpan()?.setAttributes(attributes);
}

/** The trace id of a request, or of a job without one: the digits of a UUID, a hash of any other id. */
export function traceIdOf(id: string): string {
  const digits = id.replaceAll("-", "").toLowerCase();
  // An id of zeros is invalid (W3C Trace Context 3.2.2.3).
  return /^(?!0{16})[0-9a-f]{16}(?!0{16})[0-9a-f]{16}$/.test(digits)
    ? digits
    : createHash("sha256").update(id).digest("hex").slice(0, 32);
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

function open(by: Tracer, name: string, { kind, place, attributes = {}, startTime }: Traced) {
  const options = {
    kind: kind ? kinds[kind] : SpanKind.INTERNAL,
    attributes,
    ...(startTime !== undefined && { startTime }),
  };
  if (!place) return by.startSpan(name, options);
  if ("continues" in place) {
    const parent = firstSpanOf(place.continues);
    return by.startSpan(name, options, trace.setSpanContext(ROOT_CONTEXT, parent));
  }
  if ("follows" in place) {
    const links = [{ context: firstSpanOf(place.follows) }];
    return by.startSpan(name, { ...options, root: true, links });
  }
  planned = firstSpanOf(place.begins);
  try {
    return by.startSpan(name, { ...options, root: true });
  } finally {
    planned = undefined;
  }
}

/** Every process can compute it, so that only the request's id has to be passed on. */
function firstSpanOf(id: string): SpanContext {
  const traceId = traceIdOf(id);
  return { traceId, spanId: traceId.slice(16), traceFlags: TraceFlags.SAMPLED, isRemote: true };
}
