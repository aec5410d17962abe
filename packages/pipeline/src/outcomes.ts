/**
 * What a stage's handler returns. A throw means that it is worth trying again; an outcome is final for
 * this delivery.
 */
export type Outcome<Result> = Advance<Result> | Stop<Result> | Snooze | Restart;

/** The stage is done; its result is recorded and what follows it becomes `pending`. */
export interface Advance<Result> {
  readonly kind: "advance";
  readonly result: Result;
  /** Object keys that nothing refers to once the result is committed, deleted then. */
  readonly garbage: readonly string[];
}

/** The stage is done and the version goes no further: later stages are skipped. */
export interface Stop<Result> {
  readonly kind: "stop";
  readonly result: Result;
  readonly garbage: readonly string[];
}

/** Not now, and nobody's fault: come back after a while, without using up a try. */
export interface Snooze {
  readonly kind: "snooze";
  readonly delayMs: number;
  readonly reason: string;
}

/**
 * The version was settled for another analyser or policy than this worker's, as while new workers
 * replace old ones: it goes back to dedup after a while.
 */
export interface Restart {
  readonly kind: "restart";
  readonly delayMs: number;
}

export function advance<Result>(result: Result, garbage: readonly string[] = []): Advance<Result> {
  return { kind: "advance", result, garbage };
}

export function stop<Result>(result: Result, garbage: readonly string[] = []): Stop<Result> {
  return { kind: "stop", result, garbage };
}

export function snooze(delayMs: number, reason: string): Snooze {
  return { kind: "snooze", delayMs, reason };
}

export function restart(delayMs: number): Restart {
  return { kind: "restart", delayMs };
}
