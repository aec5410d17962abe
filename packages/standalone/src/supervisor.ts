import type { ChildProcess } from "node:child_process";
import type { Logger } from "@sluice/runtime";
import { LOOP_LENGTH, restartDelayMs } from "./backoff.js";
import { messageOf, StartError } from "./start-error.js";

/** A program that is kept running. */
export interface Program {
  readonly name: string;
  spawn(): ChildProcess;
  /** Resolves when the process can do its work. @param signal - aborted when the process has ended */
  untilReady(process: ChildProcess, signal: AbortSignal): Promise<void>;
  /** Asks for an orderly end. */
  readonly stopSignal: NodeJS.Signals;
  /** Ends it when it does not come to its end. */
  readonly killSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
  /** An exit code that starting it again cannot cure. */
  readonly hopelessExitCode?: number;
}

/** Ends within a minute that the person at the terminal is told of. */
const MANY_ENDS = 20;

type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

function describe({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal;
}

/**
 * Starts a program, starts it again whenever it ends, and stops it. The first restart is at once; one
 * that keeps ending before it is ready waits ever longer.
 */
export class Supervisor {
  #process: ChildProcess | undefined;
  #exited: Promise<Exit> | undefined;
  #ends = 0;
  #wasReady = false;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #recentEnds: number[] = [];
  readonly #first: Promise<void>;
  #resolveFirst: () => void = () => {};
  #rejectFirst: (error: StartError) => void = () => {};

  /**
   * @param say - tells the person at the terminal
   * @param waitMs - the wait before a restart, after so many ends in a row
   */
  constructor(
    private readonly program: Program,
    private readonly log: Logger,
    private readonly say: (line: string) => void,
    private readonly waitMs: (ends: number) => number = restartDelayMs,
  ) {
    this.#first = new Promise((resolve, reject) => {
      this.#resolveFirst = resolve;
      this.#rejectFirst = reject;
    });
    // Whoever stops a program that has not been ready yet need not wait for it.
    this.#first.catch(() => {});
  }

  get name(): string {
    return this.program.name;
  }

  get isReady(): boolean {
    return this.#wasReady;
  }

  /**
   * Starts it, and resolves when it is ready for the first time.
   *
   * @throws {@link StartError} where it keeps ending before that
   */
  start(): Promise<void> {
    this.#spawn();
    return this.#first;
  }

  /** Asks it to end, and kills it where it takes too long. @returns whether it ended by itself */
  async stop(): Promise<boolean> {
    this.#end();
    const exited = this.#exited;
    if (exited === undefined) return true;
    this.#process?.kill(this.program.stopSignal);
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      this.log.error(
        { program: this.name, timeoutMs: this.program.stopTimeoutMs },
        "did not stop in time",
      );
      this.kill();
    }, this.program.stopTimeoutMs);
    const exit = await exited;
    clearTimeout(timer);
    this.log.info({ program: this.name, ...exit }, "stopped");
    return !killed;
  }

  /** Ends it without further ado. */
  kill(): void {
    this.#end();
    this.#process?.kill(this.program.killSignal);
  }

  #end(): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.#rejectFirst(new StartError(`${this.name} was stopped before it was ready`));
  }

  #spawn(): void {
    const process = this.program.spawn();
    this.#process = process;
    const ended = new AbortController();
    this.#exited = new Promise((resolve) => {
      const settle = (exit: Exit): void => {
        if (this.#process !== process) return;
        this.#process = undefined;
        this.#exited = undefined;
        ended.abort();
        resolve(exit);
        if (!this.#stopping) this.#restartAfter(exit);
      };
      process.once("exit", (code, signal) => settle({ code, signal }));
      process.once("error", (error) => {
        this.log.error({ program: this.name, err: error }, "cannot be started");
        if (process.pid === undefined) settle({ code: null, signal: null });
      });
    });
    this.log.info({ program: this.name, child: process.pid }, "started");
    this.program.untilReady(process, ended.signal).then(
      () => {
        if (ended.signal.aborted) return;
        if (this.#ends >= LOOP_LENGTH) this.say(`${this.name} runs again.`);
        this.#ends = 0;
        this.#wasReady = true;
        this.#resolveFirst();
        this.log.info({ program: this.name, child: process.pid }, "ready");
      },
      (error: unknown) => {
        if (!ended.signal.aborted)
          this.log.error({ program: this.name, err: error }, "cannot be watched");
      },
    );
  }

  #restartAfter(exit: Exit): void {
    const { hopelessExitCode } = this.program;
    this.#ends++;
    const delayMs = this.waitMs(this.#ends);
    this.log.warn({ program: this.name, ...exit, delayMs }, "ended, and is started again");
    if (
      !this.#wasReady &&
      (this.#ends >= LOOP_LENGTH || (exit.code !== null && exit.code === hopelessExitCode))
    ) {
      this.#stopping = true;
      this.#rejectFirst(
        new StartError(
          `${this.name} does not start (${describe(exit)}): its last log lines say why`,
        ),
      );
      return;
    }
    this.#tellOfLoop(exit);
    this.#restart = setTimeout(() => {
      try {
        this.#spawn();
      } catch (error) {
        this.log.error({ program: this.name, err: messageOf(error) }, "cannot be started");
        this.#restartAfter({ code: null, signal: null });
      }
    }, delayMs);
  }

  #tellOfLoop(exit: Exit): void {
    const now = Date.now();
    this.#recentEnds = [...this.#recentEnds.filter((time) => time > now - 60_000), now];
    let what: string | undefined;
    if (this.#ends === LOOP_LENGTH) what = `${this.#ends} times before it was ready`;
    else if (this.#recentEnds.length === MANY_ENDS) what = `${MANY_ENDS} times within a minute`;
    if (what === undefined) return;
    this.#recentEnds = [];
    this.say(
      `${this.name} has ended ${what} (${describe(exit)}); its log says why. It is started again and again.`,
    );
  }
}
