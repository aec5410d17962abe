/** What one run of a task is given. */
export interface TaskRun {
  /** Aborted when the janitor is to stop, or when the task has become another run's. */
  readonly signal: AbortSignal;
  /** What the last run has saved; `undefined` where a new round begins. */
  readonly cursor: unknown;
  /**
   * Remembers how far the task has come, so that the next run goes on there, whoever has it; `undefined` begins a new round.
   *
   * @throws `TaskLostError` where the task is another run's by now
   */
  readonly save: (cursor: unknown) => Promise<void>;
}

/**
 * Something that the janitor does on a schedule. However many janitors there are, one of them runs it at a time; killed in the
 * middle, it is run again at its next time. Each step of it must be safe to do twice.
 */
export interface MaintenanceTask {
  readonly name: string;
  /** Time between two runs, in milliseconds. */
  readonly everyMs: number;
  /** So many failures in a row are told by an event; three if not said. */
  readonly failuresToTell?: number;
  run(run: TaskRun): Promise<void>;
}
