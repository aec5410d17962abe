import { STAGE_NAMES, type StageName } from "@sluice/pipeline";
import type { Job, JobType } from "bullmq";
import {
  DEFAULT_LOCK_MS,
  type Makers,
  makersFor,
  type Producer,
  Producers,
  withinTime,
} from "./backends.js";
import { type BullWorker, PersistentConsumer } from "./persistent-consumer.js";
import type { Chunk, Consumer, Delivery, Queue, QueueDepth, QueueLog } from "./queue.js";

// Where PostgreSQL keeps the waiting jobs of a paused queue; BullMQ's types know only Redis's states.
const PAUSED = "paused" as JobType;

export interface QueueOptions {
  /**
   * A job whose worker has not renewed it for so long is handed to another, in milliseconds; 10,000 if
   * not said.
   */
  readonly lockMs?: number;
}

/**
 * Opens the queue: BullMQ on Redis or on PostgreSQL, as the URL says. Nothing is awaited here, so that
 * a process can start while the queue's server is away.
 *
 * @param url - `redis://…`, `rediss://…` or `postgres://…`
 */
export function openQueue(url: string, log: QueueLog, options: QueueOptions = {}): Queue {
  return new BullMqQueue(makersFor(url, log, options.lockMs ?? DEFAULT_LOCK_MS), log);
}

class BullMqQueue implements Queue {
  readonly #makers: Makers;
  readonly #log: QueueLog;
  readonly #producers: Producers;

  constructor(makers: Makers, log: QueueLog) {
    this.#makers = makers;
    this.#log = log;
    this.#producers = new Producers(makers);
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
    const process = (job: Job): Promise<void> =>
      handle({
        jobId: job.id ?? "",
        versions: (job.data as Chunk).versions,
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
    await withinTime(this.#makers.probe(), "write to the queue's server");
  }

  async close(): Promise<void> {
    await this.#producers.close();
    await this.#makers.close();
  }

  #producer(stage: StageName): Producer {
    return this.#producers.of(stage);
  }
}
