import {
  createPostgresBackend,
  type Job,
  Queue as BullQueue,
  Worker,
  type WorkerOptions,
} from "bullmq";
import { Redis } from "ioredis";
import type { BullWorker } from "./persistent-consumer.js";
import type { QueueLog } from "./queue.js";

/** BullMQ's names are kept apart from others' in the same Redis, or the same database. */
const NAMESPACE = "sluice";

/** How long an answer from the queue's server may take, in milliseconds. */
const ANSWER_MS = 10_000;

/** How long a job is its worker's that does not renew it, in milliseconds, if not said. */
export const DEFAULT_LOCK_MS = 10_000;

/** What is used of BullMQ's `Queue`, whose type differs from server to server. */
export type Producer = Pick<
  BullQueue,
  | "addBulk"
  | "getJobSchedulers"
  | "upsertJobScheduler"
  | "removeJobScheduler"
  | "getJobCounts"
  | "getJobs"
  | "isPaused"
  | "pause"
  | "resume"
  | "waitUntilReady"
  | "close"
>;

/** How BullMQ's objects are made on one kind of server. */
export interface Makers {
  producer(name: string): Producer;
  worker(name: string, process: (job: Job) => Promise<void>, concurrency: number): BullWorker;
  /** @throws where the server takes no writes */
  probe(): Promise<void>;
  /** Where among so many waiting jobs `getJobs` has the one that is next. */
  indexOfOldest(waiting: number): number;
  close(): Promise<void>;
}

/** @param url - `redis://…`, `rediss://…` or `postgres://…` */
export function makersFor(url: string, log: QueueLog, lockMs: number): Makers {
  const makers = url.startsWith("redis") ? redisMakers : postgresMakers;
  return makers(url, log, workerOptions(lockMs));
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
    producer: (name) => {
      const queue = new BullQueue(name, { connection: shared, prefix: NAMESPACE });
      queue.on("error", (err) => log.warn({ err, queue: name }, "the queue does not answer"));
      return queue;
    },
    worker: (name, process, concurrency) => {
      const worker = new Worker(name, process, {
        ...lockOptions,
        concurrency,
        prefix: NAMESPACE,
        connection: { url, maxRetriesPerRequest: null, retryStrategy: reconnectDelayMs },
      });
      worker.on("error", (err) => log.warn({ err, queue: name }, "the queue does not answer"));
      worker.on("failed", (job, err) => log.warn({ err, queue: name, job_id: job?.id }, JOB_LOST));
      return worker;
    },
    probe: async () => {
      await shared.set(`${NAMESPACE}:probe`, "1", "EX", 60);
    },
    indexOfOldest: () => 0,
    close: async () => shared.disconnect(),
  };
}

function postgresMakers(url: string, log: QueueLog, lockOptions: LockOptions): Makers {
  const connection = { connectionString: url, schema: NAMESPACE, migrate: true, keepAlive: true };
  return {
    producer: (name) => {
      const queue = new BullQueue(
        name,
        { connection: { ...connection, max: 2, connectionTimeoutMillis: ANSWER_MS } },
        createPostgresBackend,
      );
      queue.on("error", (err) => log.warn({ err, queue: name }, "the queue does not answer"));
      return queue;
    },
    worker: (name, process, concurrency) => {
      const worker = new Worker(
        name,
        process as (job: object) => Promise<void>,
        { ...lockOptions, concurrency, connection: { ...connection, max: 4 } },
        createPostgresBackend,
      );
      worker.on("error", (err) => log.warn({ err, queue: name }, "the queue does not answer"));
      worker.on("failed", (job, err) => log.warn({ err, queue: name, job_id: job?.id }, JOB_LOST));
      return worker;
    },
    // Its disk is watched like any other.
    probe: async () => {},
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
export async function withinTime<T>(work: Promise<T>, what: string): Promise<T> {
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

/**
 * Says whether Redis takes no writes for want of room: on its disk, for its log or its snapshots (`MISCONF`), or of
 * memory (`OOM`).
 */
export function isQueueFull(error: unknown): boolean {
  return error instanceof Error && /\b(?:MISCONF|OOM command not allowed)\b/.test(error.message);
}

/** The queue's server did not answer in time. */
export class QueueUnavailableError extends Error {
  override readonly name = "QueueUnavailableError";
}

/** One producer a queue, made when it is first needed. */
export class Producers {
  readonly #made = new Map<string, Producer>();

  constructor(private readonly makers: Pick<Makers, "producer">) {}

  of(name: string): Producer {
    let producer = this.#made.get(name);
    if (producer === undefined) {
      producer = this.makers.producer(name);
      this.#made.set(name, producer);
      // BullMQ remembers a failed first connection for ever: the next call is to make a new one.
      const made = producer;
      made.waitUntilReady().catch(() => {
        if (this.#made.get(name) === made) this.#made.delete(name);
        made.close().catch(() => {});
      });
    }
    return producer;
  }

  async close(): Promise<void> {
    await Promise.allSettled(
      [...this.#made.values()].map((producer) => withinTime(producer.close(), "close the queue")),
    );
  }
}
