import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import { guard, removeDirectory } from "./guard.js";

/** How one kind of server is run. */
export interface ServerProgram {
  readonly name: string;
  /** Everything it writes; removed when it is stopped. */
  readonly directory: string;
  /** Ends it in order. */
  readonly stopSignal: NodeJS.Signals;
  /** Starts it, with standard output and error piped. */
  spawn(): ChildProcess;
  /** Says whether it serves; a throw is a no. */
  isReady(): Promise<boolean>;
}

const READY_WITHIN_MS = 60_000;
/** Another server's port may not be free yet, PostgreSQL's sessions may outlive a killed PostgreSQL. */
const START_TRIES = 20;
const KEPT_OUTPUT = 4_000;

/** A real server of this test run's own, on a free port of loopback. */
export class TestServer {
  readonly #program: ServerProgram;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(program: ServerProgram) {
    this.#program = program;
  }

  /** Its process number. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#program.name} does not run`);
    return pid;
  }

  /** Starts it on its port and its data; resolves when it serves. */
  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      if (await this.#tryStart()) return;
      if (tries === START_TRIES) {
        throw new Error(`${this.#program.name} does not start:\n${this.#output}`);
      }
      await delay(100);
    }
  }

  /** Kills it without warning (SIGKILL); its port and its data stay its own. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Starts it again after {@link kill}, or stops it in order and starts it again; same port, same data. */
  async restart(): Promise<void> {
    await this.#end(this.#program.stopSignal);
    await this.start();
  }

  /** Stops it in order, and removes its data. */
  async stop(): Promise<void> {
    await this.#end(this.#program.stopSignal);
    removeDirectory(this.#program.directory);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || hasEnded(child)) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  /** False where it ended before it was ready. */
  async #tryStart(): Promise<boolean> {
    this.#output = "";
    const child = guard(this.#program.spawn(), this.#program.stopSignal);
    this.#child = child;
    const keep = (text: string) => {
      this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
    };
    child.on("error", (error) => keep(error.message));
    child.stdout?.setEncoding("utf8").on("data", keep);
    child.stderr?.setEncoding("utf8").on("data", keep);
    const giveUpAt = Date.now() + READY_WITHIN_MS;
    while (!hasEnded(child)) {
      if (await this.#program.isReady().catch(() => false)) return !hasEnded(child);
      if (Date.now() > giveUpAt) {
        await this.#end("SIGKILL");
        throw new Error(`${this.#program.name} is not ready in time:\n${this.#output}`);
      }
      await delay(20);
    }
    return false;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
