import type { Job } from "bullmq";
import {
  DEFAULT_LOCK_MS,
  type Makers,
  makersFor,
  type Producer,
  Producers,
  withinTime,
} from "./backends.js";
import { PersistentConsumer } from "./persistent-consumer.js";
import type { Consumer, QueueLog } from "./queue.js";

/** Something that is to be done again and again. */
export interface ScheduledTask {
  readonly name: string;
  /** Time between two runs, in milliseconds. */
  readonly everyMs: number;
}

/**
 * When what is done: BullMQ's job schedulers. However many processes consume, each time comes once; only the first may come twice,
 * where two begin to keep the same task at once. Like the queue it may lose everything at any time, so that whoever needs it keeps it
 * by calling {@link Schedule.keep} now and again.
 */
export interface Schedule {
  /** Sees to it that these tasks are scheduled, as often as they say, and no others. */
  keep(tasks: readonly ScheduledTask[]): Promise<void>;
  /** Runs each task when its time has come; one that lasts longer than its pause may come a second time meanwhile. */
  consume(run: (name: string) => Promise<void>, concurrency: number): Consumer;
  close(): Promise<void>;
}

/** The queue's name, beside those of the stages. */
const QUEUE = "maintenance";

/** @param url - as for `openQueue` */
export function openSchedule(url: string, log: QueueLog): Schedule {
  return new BullMqSchedule(makersFor(url, log, DEFAULT_LOCK_MS), log);
}

class BullMqSchedule implements Schedule {
  readonly #producers: Producers;

  constructor(
    private readonly makers: Makers,
    private readonly log: QueueLog,
  ) {
    this.#producers = new Producers(makers);
  }

  async keep(tasks: readonly ScheduledTask[]): Promise<void> {
    await withinTime(reconcile(this.#producers.of(QUEUE), tasks), "keep the schedule");
  }

  consume(run: (name: string) => Promise<void>, concurrency: number): Consumer {
    const process = (job: Job): Promise<void> => run(job.name);
    return new PersistentConsumer(() => this.makers.worker(QUEUE, process, concurrency), this.log);
  }

  async close(): Promise<void> {
    await this.#producers.close();
    await this.makers.close();
  }
}

async function reconcile(queue: Producer, tasks: readonly ScheduledTask[]): Promise<void> {
  const scheduled = new Map(
    (await queue.getJobSchedulers()).map(({ key, every }) => [key, Number(every)]),
  );
  for (const { name, everyMs } of tasks) {
    // Scheduled anew, its next time would be put off.
    if (scheduled.get(name) === everyMs) continue;
    await queue.upsertJobScheduler(
      name,
      { every: everyMs },
      { name, opts: { removeOnComplete: true, removeOnFail: true } },
    );
  }
  const wanted = new Set(tasks.map(({ name }) => name));
  for (const name of scheduled.keys()) {
    if (!wanted.has(name)) await queue.removeJobScheduler(name);
  }
}
