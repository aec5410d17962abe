import { type Catalog, readBacklogs } from "@sluice/catalog";
import { STAGE_NAMES } from "@sluice/pipeline";
import type { Queue } from "@sluice/queue";
import { type Metrics, mergeMetrics } from "@sluice/runtime";
import { Counter, Gauge, Histogram } from "prom-client";
import type { StatusWatch } from "./status/watch.js";
import type { HeldBytes } from "./upload/held-bytes.js";

/** What ingest counts of its own work. */
export interface IngestMetrics {
  /** Time of requests in seconds, by method, route and status. */
  readonly requestSeconds: Histogram<"method" | "route" | "status">;
  /** Uploads by outcome: `created`, `unchanged`, or the code of the problem. */
  readonly uploads: Counter<"outcome">;
  /** Bytes of the uploads that made a version. */
  readonly uploadedBytes: Counter;
  /** What was found damaged or missing when it was read: from its `copy`, good `again` by itself, or `lost`. */
  readonly rescues: Counter<"outcome">;
}

export function createIngestMetrics(
  { registry }: Metrics,
  { held, watch }: { held: HeldBytes; watch: StatusWatch },
): IngestMetrics {
  const registers = [registry];
  void new Gauge({
    name: "sluice_status_waiters",
    help: "Requests that wait for news of a status",
    registers,
    collect() {
      this.set(watch.waiting);
    },
  });
  void new Gauge({
    name: "sluice_upload_held_bytes",
    help: "Bytes of uploads held in memory",
    registers,
    collect() {
      this.set(held.held);
    },
  });
  return {
    requestSeconds: new Histogram({
      name: "sluice_http_request_duration_seconds",
      help: "Time from a request to the end of its answer, in seconds",
      labelNames: ["method", "route", "status"],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    uploads: new Counter({
      name: "sluice_uploads_total",
      help: "Uploads by outcome: created, unchanged, or the code of the problem",
      labelNames: ["outcome"],
      registers,
    }),
    uploadedBytes: new Counter({
      name: "sluice_upload_bytes_total",
      help: "Bytes of the uploads that made a version",
      registers,
    }),
    rescues: new Counter({
      name: "sluice_content_rescues_total",
      help: "Bytes that downloads have found damaged or missing: from their copy, good again by themselves, or lost",
      labelNames: ["outcome"],
      registers,
    }),
  };
}

/** Looks what is unfinished in the catalog and in the queue; called before the metrics are given out. */
export type ObservePipeline = () => Promise<void>;

/** Registers what is told of every stage, whether its workers run or not. */
export function createPipelineMetrics(
  { registry }: Metrics,
  { catalog, queue }: { catalog: Catalog; queue: Queue },
): ObservePipeline {
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const unfinished = gauge(
    "sluice_stage_unfinished",
    "Versions in a stage, as the catalog has them",
    ["stage", "state"],
  );
  const oldest = gauge(
    "sluice_stage_oldest_pending_seconds",
    "How long the version that has waited longest for a stage has waited, in seconds",
    ["stage"],
  );
  const jobs = gauge("sluice_queue_jobs", "Jobs in a stage's queue", ["stage", "state"]);
  const oldestJob = gauge(
    "sluice_queue_oldest_job_seconds",
    "How long the job that has waited longest for a worker has waited, in seconds",
    ["stage"],
  );
  const paused = gauge("sluice_queue_paused", "1 where the stage's queue is paused", ["stage"]);

  const observeCatalog = async (): Promise<void> => {
    const backlogs = await inTime(readBacklogs(catalog));
    if (backlogs === undefined) return;
    for (const stage of STAGE_NAMES) {
      const backlog = backlogs.get(stage);
      unfinished.set({ stage, state: "pending" }, backlog?.pending ?? 0);
      unfinished.set({ stage, state: "running" }, backlog?.running ?? 0);
      oldest.set({ stage }, secondsSince(backlog?.oldestPendingAt));
    }
  };
  const observeQueue = async (): Promise<void> => {
    const depths = await inTime(
      Promise.all(STAGE_NAMES.map(async (stage) => ({ stage, depth: await queue.depth(stage) }))),
    );
    for (const { stage, depth } of depths ?? []) {
      jobs.set({ stage, state: "waiting" }, depth.waiting);
      jobs.set({ stage, state: "active" }, depth.active);
      jobs.set({ stage, state: "delayed" }, depth.delayed);
      oldestJob.set({ stage }, secondsSince(depth.oldestWaitingAt));
      paused.set({ stage }, depth.paused ? 1 : 0);
    }
  };
  return async () => {
    // Of what does not answer nothing is told, rather than what it said last.
    for (const each of [unfinished, oldest, jobs, oldestJob, paused]) each.reset();
    await Promise.all([observeCatalog(), observeQueue()]);
  };
}

const ANSWER_MS = 2_000;

async function inTime<Value>(work: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ANSWER_MS, undefined);
  });
  try {
    return await Promise.race([work, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function secondsSince(date: Date | undefined): number {
  return date === undefined ? 0 : Math.max(0, (Date.now() - date.getTime()) / 1000);
}

/** A `/metrics` of ours is some kilobytes; whoever sends more is not one of us. */
const MAX_PEER_BYTES = 4 * 1024 * 1024;

/** This process's metrics with those of its peers. A peer that does not answer in time is left out. */
export async function exposeMetrics(
  { registry }: Metrics,
  peers: readonly string[],
): Promise<string> {
  const [own, ...others] = await Promise.all([registry.metrics(), ...peers.map(scrape)]);
  return mergeMetrics([own, ...others.filter((text) => text !== undefined)]);
}

async function scrape(peer: string): Promise<string | undefined> {
  try {
    const url = new URL("/metrics", peer);
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok || Number(response.headers.get("content-length")) > MAX_PEER_BYTES) {
      await response.body?.cancel();
      return undefined;
    }
    return withProcess(await response.text(), url.host);
  } catch {
    return undefined;
  }
}

/** Labels every sample with where it comes from: two processes of one service have the same ones else. */
function withProcess(exposition: string, host: string): string {
  return exposition.replaceAll(
    /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?(?= )/gm,
    (_sample, name: string, labels: string | undefined) =>
      `${name}{${labels ? `${labels},` : ""}process="${host}"}`,
  );
}
