import type { StageName } from "@sluice/pipeline";

/** What the queue reports to; a pino logger fits. */
export interface QueueLog {
  warn(details: object, message: string): void;
}

/** The versions that one job carries. */
export interface Chunk {
  readonly versions: readonly string[];
}

/** A chunk as a worker receives it. */
export interface Delivery extends Chunk {
  readonly jobId: string;
  /** An earlier delivery of this very job did not come back: its worker died or froze. */
  readonly redelivered: boolean;
}

export interface QueueDepth {
  /** Jobs that wait for a worker. */
  readonly waiting: number;
  /** Jobs that a worker holds. */
  readonly active: number;
  /** Jobs that wait for their time. */
  readonly delayed: number;
  /** When the job that has waited longest was due; `undefined` where none waits. */
  readonly oldestWaitingAt: Date | undefined;
  readonly paused: boolean;
}

/** Takes chunks of one stage until it is closed. */
export interface Consumer {
  /** Takes nothing more and resolves when the handlers that run have returned. */
  close(): Promise<void>;
}

/**
 * One queue a stage. It may lose everything at any time: the catalog is the truth, and the janitor
 * enqueues again what the catalog says is unfinished.
 */
export interface Queue {
  /** @param delayMs - milliseconds until the chunks are due */
  enqueue(stage: StageName, chunks: readonly Chunk[], delayMs?: number): Promise<void>;
  /**
   * Hands each chunk to the handler, `concurrency` at once. A handler that throws loses the job: what
   * it left unfinished is the janitor's to enqueue again.
   */
  consume(
    stage: StageName,
    handle: (delivery: Delivery) => Promise<void>,
    concurrency: number,
  ): Consumer;
  depth(stage: StageName): Promise<QueueDepth>;
  pause(stage: StageName): Promise<void>;
  resume(stage: StageName): Promise<void>;
  /** @throws where the queue's server does not answer, or takes no writes */
  check(): Promise<void>;
  close(): Promise<void>;
}
