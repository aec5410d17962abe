import type { Worker } from "node:worker_threads";
import type { KillReason } from "../verdict/types.js";

/** What a thread says to the pool that owns it. */
export type ThreadMessage<Answer> =
  | { readonly kind: "ready"; readonly gift: unknown }
  /** `last` asks to be replaced before the next request. */
  | { readonly kind: "answer"; readonly answer: Answer; readonly last: boolean }
  /** A parser inside the thread died of the request; the thread is of no more use. */
  | { readonly kind: "killed"; readonly reason: KillReason }
  /** The thread's own code failed. */
  | { readonly kind: "failed"; readonly error: Error };

/** How one request ended in one thread. */
export type Outcome<Answer, Progress> =
  | { readonly killed: null; readonly answer: Answer }
  /** `progress` is how far the thread had come. */
  | { readonly killed: KillReason; readonly progress: Progress };

/** A worker that was just started, and a way to see from outside how far it has come. */
export interface StartedWorker<Progress> {
  readonly worker: Worker;
  readonly progress: () => Progress;
  /** Ends what was started for the worker beside it, such as a process. */
  readonly stopCompanions?: () => Promise<void>;
}

interface Pending<Answer, Progress> {
  readonly resolve: (outcome: Outcome<Answer, Progress>) => void;
  readonly reject: (error: Error) => void;
}

/** One worker thread, which answers one request at a time, and may die of it. */
export class Thread<Request, Answer, Progress> {
  readonly #worker: Worker;
  readonly #ready: Promise<unknown>;
  readonly #progress: () => Progress;
  readonly #stopCompanions: (() => Promise<void>) | undefined;
  #pending: Pending<Answer, Progress> | undefined;
  #usable = true;
  #stopped: Promise<unknown> | undefined;

  constructor({ worker, progress, stopCompanions }: StartedWorker<Progress>) {
    this.#worker = worker;
    this.#progress = progress;
    this.#stopCompanions = stopCompanions;
    this.#ready = new Promise((resolve, reject) => {
      worker.on("message", (message: ThreadMessage<Answer>) => {
        if (message.kind === "ready") resolve(message.gift);
        else this.#hear(message);
      });
      worker.on("error", (error: NodeJS.ErrnoException) => {
        reject(error);
        this.#die(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "memory" : "trap");
      });
      worker.on("exit", (code) => {
        reject(new Error(`a parser thread ended while it started (exit code ${code})`));
        this.#die("trap");
      });
    });
    // Whoever awaits `ready` hears of it; a thread that dies later must not be an unhandled rejection.
    this.#ready.catch(() => {});
  }

  /** What the thread hands over once it can take requests. Rejects where it cannot start. */
  get ready(): Promise<unknown> {
    return this.#ready;
  }

  /** Whether it can take another request. */
  get usable(): boolean {
    return this.#usable;
  }

  /**
   * @param timeoutMs - how long the thread may take, after which it is killed
   * @throws Error where the thread's own code failed
   */
  async ask(request: Request, timeoutMs: number): Promise<Outcome<Answer, Progress>> {
    // Where the event loop stood still, the timer is first to run, with the answer waiting behind it.
    let afterwards: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      afterwards = setImmediate(() => this.#die("timeout"));
    }, timeoutMs);
    try {
      return await new Promise<Outcome<Answer, Progress>>((resolve, reject) => {
        this.#pending = { resolve, reject };
        this.#worker.postMessage(request);
      });
    } finally {
      clearTimeout(timer);
      clearImmediate(afterwards);
      this.#pending = undefined;
    }
  }

  /**
   * Ends the thread, whatever it is doing, and fails what it was asked. Resolves when its memory is free and its companions are
   * gone.
   */
  async stop(): Promise<void> {
    this.#usable = false;
    this.#pending?.reject(new Error("the parser threads were closed"));
    await (this.#stopped ??= Promise.all([this.#worker.terminate(), this.#stopCompanions?.()]));
  }

  #hear(message: Exclude<ThreadMessage<Answer>, { kind: "ready" }>): void {
    switch (message.kind) {
      case "answer":
        if (message.last) this.#usable = false;
        this.#pending?.resolve({ killed: null, answer: message.answer });
        return;
      case "killed":
        this.#die(message.reason);
        return;
      case "failed":
        this.#pending?.reject(message.error);
    }
  }

  #die(reason: KillReason): void {
    this.#usable = false;
    this.#pending?.resolve({ killed: reason, progress: this.#progress() });
  }
}
