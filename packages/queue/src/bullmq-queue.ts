import { STAGE_NAMES, type StageName } from "@sluice/pipeline";
import {
  createPostgresBackend,
  type Job,
  type JobType,
  Queue as BullQueue,
  Worker,
  type WorkerOptions,
} from "bullmq";
import { Redis } from "ioredis";
import { type BullWorker, PersistentConsumer } from "./persistent-consumer.js";
import type { Chunk, Consumer, Delivery, Queue, QueueDepth, QueueLog } from "./queue.js";

/** BullMQ's names are kept apart from others' in the same Redis, or the same database. */
const NAMESPACE = "sluice";

// Where PostgreSQL keeps the waiting jobs of a paused queue; BullMQ's types know only Redis's states.
const PAUSED = "paused" as JobType;

/** How long an answer from the queue's server may take, in milliseconds. */
const ANSWER_MS = 10_000;

export interface QueueOptions {
  /**
   * A job whose worker has not renewed it for so long is handed to another, in milliseconds; 10,000 if
   * not said.
   */
  readonly lockMs?: number;
}

const DEFAULT_LOCK_MS = 10_000;

/**
 * Opens the queue: BullMQ on Redis or on PostgreSQL, as the URL says. Nothing is awaited here, so that
 * a process can start while the queue's server is away.
 *
 * @param url - `redis://…`, `rediss://…` or `postgres://…`
 */
export function openQueue(url: string, log: QueueLog, options: QueueOptions = {}): Queue {
  const makers = url.startsWith("redis") ? redisMakers : postgresMakers;
  return new BullMqQueue(makers(url, log, workerOptions(options.lockMs ?? DEFAULT_LOCK_MS)), log);
}

/** What is used of BullMQ's `Queue`, whose type differs from server to server. */
type Producer = Pick<
  BullQueue<Chunk>,
  | "addBulk"
  | "getJobCounts"
  | "getJobs"
  | "isPaused"
  | "pause"
  | "resume"
  | "waitUntilReady"
  | "close"
>;

/** How BullMQ's objects are made on one kind of server. */
interface Makers {
  producer(stage: StageName): Producer;
  worker(
    stage: StageName,
    process: (job: Job<Chunk>) => Promise<void>,
    concurrency: number,
  ): BullWorker;
  /** Where among so many waiting jobs `getJobs` has the one that is next. */
  indexOfOldest(waiting: number): number;
  close(): Promise<void>;
}

class BullMqQueue implements Queue {
  readonly #makers: Makers;
  readonly #log: QueueLog;
  readonly #producers = new Map<StageName, Producer>();

  constructor(makers: Makers, log: QueueLog) {
    this.#makers = makers;
    this.#log = log;
  }

  async enqueue(stage: StageName, chunks: readonly Chunk[], delayMs = 0): Promise<void> {
    if (chunks.length === 0) return;
    const jobs = chunks.map((chunk) => ({
      name: "chunk",
      data: chunk,
      opts: {
        ...(delayMs > 0 ? { delay: delayMs } : {}),
        // A finished job tells nothing that the catalog does not.
        removeOnComplete: true,
        removeOnFail: true,
      },
    }));
    await withinTime(this.#producer(stage).addBulk(jobs), `enqueue to ${stage}`);
  }

  consume(
    stage: StageName,
    handle: (delivery: Delivery) => Promise<void>,
    concurrency: number,
  ): Consumer {
    const process = (job: Job<Chunk>): Promise<void> =>
      handle({
        jobId: job.id ?? "",
        versions: job.data.versions,
        redelivered: job.stalledCounter > 0 || job.attemptsStarted > 1,
      });
    const make = (): BullWorker => this.#makers.worker(stage, process, concurrency);
    return new PersistentConsumer(make, this.#log);
  }

  async depth(stage: StageName): Promise<QueueDepth> {
    const producer = this.#producer(stage);
    return withinTime(
      (async () => {
        const counts = await producer.getJobCounts("waiting", PAUSED, "active", "delayed");
        const paused = await producer.isPaused();
        const waiting = (counts["waiting"] ?? 0) + (counts[PAUSED] ?? 0);
        const index = this.#makers.indexOfOldest(waiting);
        const [oldest] = await producer.getJobs(["waiting"], index, index, true);
        return {
          waiting,
          active: counts["active"] ?? 0,
          delayed: counts["delayed"] ?? 0,
          oldestWaitingAt:
            oldest === undefined
              ? undefined
              : new Date(oldest.timestamp + (oldest.opts.delay ?? 0)),
          paused,
        };
      })(),
      `ask for the depth of ${stage}`,
    );
  }

  pause(stage: StageName): Promise<void> {
    return withinTime(this.#producer(stage).pause(), `pause ${stage}`);
  }

  resume(stage: StageName): Promise<void> {
    return withinTime(this.#producer(stage).resume(), `resume ${stage}`);
  }

  async check(): Promise<void> {
    await withinTime(this.#producer(STAGE_NAMES[0]).isPaused(), "ask the queue's server");
  }

  async close(): Promise<void> {
    await Promise.allSettled(
      [...this.#producers.values()].map((producer) =>
        withinTime(producer.close(), "close the queue"),
      ),
    );
    await this.#makers.close();
  }

  #producer(stage: StageName): Producer {
    let producer = this.#producers.get(stage);
    if (producer === undefined) {
      producer = this.#makers.producer(stage);
      this.#producers.set(stage, producer);
      // BullMQ remembers a failed first connection for ever: the next call is to make a new one.
      const made = producer;
      made.waitUntilReady().catch(() => {
        if (this.#producers.get(stage) === made) this.#producers.delete(stage);
        made.close().catch(() => {});
      });
    }
    return producer;
  }
}

type LockOptions = Pick<
  WorkerOptions,
  "autorun" | "lockDuration" | "stalledInterval" | "maxStalledCount" | "runRetryDelay"
>;

function workerOptions(lockMs: number): LockOptions {
  return {
    autorun: false,
    runRetryDelay: 1_000,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    // A job of a worker that dies comes back until its chunk is split down to the script at fault.
    maxStalledCount: 20,
  };
}

function redisMakers(url: string, log: QueueLog, lockOptions: LockOptions): Makers {
  // Producers share a connection that fails rather than waits while Redis is away: the catalog has the
  // work, and the janitor enqueues it.
  const shared = new Redis(url, {
    maxRetriesPerRequest: 1,
    commandTimeout: ANSWER_MS,
    retryStrategy: reconnectDelayMs,
  });
  shared.on("error", (err: Error) => log.warn({ err }, "the queue does not answer"));
  return {
    producer: (stage) => {
      const queue = new BullQueue<Chunk>(stage, { connection: shared, prefix: NAMESPACE });
      queue.on("error", (err) => log.warn({ err, stage }, "the queue does not answer"));
      return queue;
    },
    worker: (stage, process, concurrency) => {
      const worker = new Worker<Chunk>(stage, process, {
        ...lockOptions,
        concurrency,
        prefix: NAMESPACE,
        connection: { url, maxRetriesPerRequest: null, retryStrategy: reconnectDelayMs },
      });
      worker.on("error", (err) => log.warn({ err, stage }, "the queue does not answer"));
      worker.on("failed", (job, err) => log.warn({ err, stage, job_id: job?.id }, JOB_LOST));
      return worker;
    },
    indexOfOldest: () => 0,
    close: async () => shared.disconnect(),
  };
}

function postgresMakers(url: string, log: QueueLog, lockOptions: LockOptions): Makers {
  const connection = { connectionString: url, schema: NAMESPACE, migrate: true, keepAlive: true };
  return {
    producer: (stage) => {
      const queue = new BullQueue(
        stage,
        { connection: { ...connection, max: 2, connectionTimeoutMillis: ANSWER_MS } },
        createPostgresBackend,
      );
      queue.on("error", (err) => log.warn({ err, stage }, "the queue does not answer"));
      return queue;
    },
    worker: (stage, process, concurrency) => {
      const worker = new Worker(
        stage,
        process as (job: object) => Promise<void>,
        { ...lockOptions, concurrency, connection: { ...connection, max: 4 } },
        createPostgresBackend,
      );
      worker.on("error", (err) => log.warn({ err, stage }, "the queue does not answer"));
      worker.on("failed", (job, err) => log.warn({ err, stage, job_id: job?.id }, JOB_LOST));
      return worker;
    },
    // BullMQ 6.7 lists them from the newest on PostgreSQL, whatever the order asked for.
    indexOfOldest: (waiting) => Math.max(0, waiting - 1),
    close: async () => {},
  };
}

const JOB_LOST = "a job failed; the janitor will enqueue what it left unfinished";

function reconnectDelayMs(attempts: number): number {
  return Math.min(50 * 2 ** Math.min(attempts, 6), 2_000);
}

/** A server that is away must not hold its caller for ever. */
async function withinTime<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new QueueUnavailableError(`no answer to: ${what}, within ${ANSWER_MS} ms`)),
      ANSWER_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The queue's server did not answer in time. */
export class QueueUnavailableError extends Error {
  override readonly name = "QueueUnavailableError";
}
