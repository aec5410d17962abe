import type { Logger } from "pino";

interface Part {
  readonly name: string;
  readonly close: () => Promise<void>;
}

/**
 * Stops a process in order: what was added last is closed first, one after the other, so that a part
 * may use what was there before it until it is gone.
 */
export class Shutdown {
  readonly #parts: Part[] = [];
  readonly #abort = new AbortController();
  #stopping: Promise<void> | undefined;
  #failed = false;

  constructor(
    private readonly log: Logger,
    /** Milliseconds after which a process that does not come to its end is left to die. */
    private readonly timeoutMs = 30_000,
  ) {}

  /** Aborted as soon as the process is to stop. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  add(name: string, close: () => Promise<void>): void {
    this.#parts.push({ name, close });
  }

  /** Closes everything, once. Never rejects: a part that fails to close is logged and the rest closed. */
  now(): Promise<void> {
    this.#stopping ??= this.#closeAll();
    return this.#stopping;
  }

  async #closeAll(): Promise<void> {
    this.#abort.abort();
    // A part that is added while others close is closed as well.
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      try {
        await part.close();
        this.log.debug({ part: part.name }, "closed");
      } catch (error) {
        this.#failed = true;
        this.log.error({ err: error, part: part.name }, "did not close");
      }
    }
  }

  /**
   * Stops and ends the process on SIGTERM, on SIGINT, and when the process that started it with an IPC
   * channel is gone. The second signal ends it at once. What nobody caught is logged and ends it too:
   * its state is unknown, and everything it held is taken over by others.
   */
  listen(): void {
    const stop = (reason: string): void => {
      if (this.#stopping !== undefined) {
        if (reason === "SIGTERM" || reason === "SIGINT") process.exit(1);
        return;
      }
      this.log.info({ reason }, "stopping");
      setTimeout(() => {
        this.log.error({ timeoutMs: this.timeoutMs }, "did not stop in time");
        process.exit(1);
      }, this.timeoutMs).unref();
      void this.now().then(() => {
        this.log.info("stopped");
        process.exit(this.#failed ? 1 : 0);
      });
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    process.on("disconnect", () => stop("parent gone"));
    // A listener alone would keep a process alive that has nothing left to do.
    process.channel?.unref();

    const crash = (error: unknown): void => {
      this.log.fatal({ err: error }, "uncaught error");
      process.exit(1);
    };
    process.on("uncaughtException", crash);
    process.on("unhandledRejection", crash);
  }
}
