import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { guard, removeDirectory, temporaryDirectory } from "../servers/guard.js";

const START = fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url));

/** One line of the log, as far as tests look at it. */
export interface LogLine {
  readonly level: string;
  readonly service: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A running `npm start` with a data directory of its own. */
export class Installation {
  readonly #process: ChildProcess;
  readonly #pids = new Map<string, number>();
  readonly log: LogLine[] = [];
  /** What it said to the person at the terminal. */
  readonly said: string[] = [];
  /** Of the API, such as `http://127.0.0.1:38211`. */
  url = "";

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /**
   * Starts it and waits until it is ready.
   *
   * @param dataDir - kept when it stops
   * @param env - settings, beside those of this process that are not Sluice's
   * @param command - put in front of the command line
   */
  static async start(
    dataDir: string,
    env: Readonly<Record<string, string>> = {},
    command: readonly string[] = [],
  ): Promise<Installation> {
    const [program, ...args] = [...command, process.execPath, START];
    const child = guard(
      spawn(program, args, {
        env: { ...withoutSettings(), PORT: "0", SLUICE_DATA: dataDir, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      }),
      "SIGTERM",
    );
    const installation = new Installation(child);
    await installation.#untilReady();
    return installation;
  }

  async #untilReady(): Promise<void> {
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error("no pipes");
    createInterface({ input: stderr }).on("line", (line) => this.said.push(line));
    const lines = createInterface({ input: stdout });
    await new Promise<void>((resolve, reject) => {
      lines.on("line", (line) => {
        this.#read(line);
        if (this.url !== "") resolve();
      });
      this.#process.once("exit", (code) =>
        reject(
          new Error(
            `it ended with ${code}:\n${this.said.join("\n")}\n${this.problems().join("\n")}`,
          ),
        ),
      );
    });
  }

  #read(line: string): void {
    if (!line.startsWith("{")) {
      this.said.push(line);
      this.url ||= /ready: (http:\S+)/.exec(line)?.[1] ?? "";
      return;
    }
    const entry = JSON.parse(line) as LogLine;
    this.log.push(entry);
    if (entry.service === "standalone" && entry.msg === "started") {
      this.#pids.set(String(entry["program"]), Number(entry["child"]));
    }
  }

  /** The process number that a program has now, such as `validate` or `postgres`. */
  pidOf(program: string): number {
    const pid = this.#pids.get(program);
    if (pid === undefined)
      throw new Error(`no program ${program}: ${[...this.#pids.keys()].join()}`);
    return pid;
  }

  /** Kills a program without warning; it is started again by itself. */
  kill(program: string): void {
    try {
      process.kill(this.pidOf(program), "SIGKILL");
    } catch (error) {
      // It may have died of the kill before this one.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** Kills the launcher itself; what it has started notices by itself. */
  async killLauncher(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }

  /** Warnings and worse. */
  problems(): string[] {
    return this.log
      .filter(({ level }) => /warn|error|fatal/.test(level))
      .map((line) => JSON.stringify(line));
  }

  /** Stops it as Ctrl-C does. @returns its exit code */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#process.exitCode !== null) return this.#process.exitCode;
    const exited = once(this.#process, "exit") as Promise<[number | null]>;
    this.#process.kill(signal);
    return (await exited)[0];
  }
}

/** A fresh data directory, and how to be rid of it. */
export function freshDataDir(): { path: string; remove: () => void } {
  const path = temporaryDirectory();
  return { path, remove: () => removeDirectory(path) };
}

function withoutSettings(): NodeJS.ProcessEnv {
  const own =
    /^(HOST|PORT|SLUICE_|QUEUE_URL|CATALOG_URL|OBJECT_STORE_URL|BACKUP_URL|API_KEYS|LOG_LEVEL|PYTHON_BIN|CLAMD_|METRICS_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}
