import { randomUUID } from "node:crypto";
import {
  type Catalog,
  finishTask,
  listTasks,
  renewTask,
  saveTaskCursor,
  takeTask,
} from "@sluice/catalog";
import type { Schedule } from "@sluice/queue";
import type { Logger, Shutdown } from "@sluice/runtime";
import type { MaintenanceTask } from "./task.js";

export interface MaintenanceDeps {
  readonly catalog: Catalog;
  readonly schedule: Schedule;
  readonly log: Logger;
  readonly shutdown: Shutdown;
  /** How long a run holds its task before another janitor may take it over, in milliseconds. */
  readonly leaseMs: number;
  /** Told how each run has ended. */
  readonly onRun: (task: string, outcome: "done" | "failed") => void;
}

/** A task that is so many times overdue is run without waiting for the queue's server to say so. */
const OVERDUE = 3;

/** Runs tasks when the schedule says so, and also while the queue's server is away. */
export class MaintenanceRunner {
  readonly #tasks: ReadonlyMap<string, MaintenanceTask>;
  readonly #running = new Set<Promise<void>>();

  constructor(
    tasks: readonly MaintenanceTask[],
    private readonly deps: MaintenanceDeps,
  ) {
    this.#tasks = new Map(tasks.map((task) => [task.name, task]));
  }

  /** Takes part in the schedule until shutdown. */
  start(): void {
    const consumer = this.deps.schedule.consume((name) => this.run(name), this.#tasks.size);
    this.deps.shutdown.add("maintenance", async () => {
      await consumer.close();
      await Promise.all(this.#running);
    });
  }

  /** Puts back what the queue has lost of the schedule, and runs what it has let lie. */
  async keep(): Promise<void> {
    const { catalog, schedule, log } = this.deps;
    try {
      await schedule.keep([...this.#tasks.values()]);
    } catch (error) {
      log.warn({ err: error }, "the schedule of maintenance is not kept by the queue");
    }
    const known = new Map((await listTasks(catalog)).map((state) => [state.name, state]));
    const now = Date.now();
    const overdue = [...this.#tasks.values()].filter(({ name, everyMs }) => {
      const state = known.get(name);
      // One that never ran is the schedule's to begin with.
      if (state === undefined || state.running) return false;
      return now - (state.lastStartedAt?.getTime() ?? now) > OVERDUE * everyMs;
    });
    for (const { name } of overdue) this.#runAside(name);
  }

  /** Whoever keeps the schedule does not wait for one long run. */
  #runAside(name: string): void {
    const run = this.run(name)
      .catch((error: unknown) => {
        this.deps.log.warn({ err: error, task: name }, "an overdue task was not run");
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Runs a task unless somebody does already. A failure is logged, counted and left to the next time. */
  async run(name: string): Promise<void> {
    const { catalog, log, shutdown, leaseMs, onRun } = this.deps;
    const task = this.#tasks.get(name);
    // A newer janitor may have scheduled what this one does not know.
    if (task === undefined || shutdown.signal.aborted) return;
    const token = randomUUID();
    const taken = await takeTask(catalog, { name, token, leaseMs });
    if (taken === undefined) return;

    const lost = new AbortController();
    const signal = AbortSignal.any([shutdown.signal, lost.signal]);
    const renewal = setInterval(() => {
      renewTask(catalog, { name, token, leaseMs }).then(
        (held) => {
          if (!held) lost.abort();
        },
        (error: unknown) => log.warn({ err: error, task: name }, "a lease was not renewed"),
      );
    }, leaseMs / 3);
    let failure: unknown;
    try {
      await task.run({
        signal,
        cursor: taken.cursor ?? undefined,
        save: (cursor) => saveTaskCursor(catalog, { name, token, cursor }),
      });
    } catch (error) {
      if (!signal.aborted) {
        failure = error;
        log.error({ err: error, task: name }, "a task failed");
      }
    } finally {
      clearInterval(renewal);
    }
    onRun(name, failure === undefined ? "done" : "failed");
    await finishTask(catalog, {
      name,
      token,
      error: failure === undefined ? undefined : messageOf(failure),
      failuresToTell: task.failuresToTell,
    }).catch((error: unknown) => log.warn({ err: error, task: name }, "a lease was left to end"));
  }
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // PostgreSQL takes no NUL.
  return message.toWellFormed().replaceAll("\0", "\u{fffd}").slice(0, 1_000);
}
