import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { guard } from "../servers/index.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START = join(ROOT, "scripts", "start.mjs");
const SETTINGS =
  /^(HOST|PORT|SLUICE_DATA|[A-Z_]+_URL|API_KEYS|LOG_LEVEL|PYTHON_BIN|CLAMD_[A-Z_]+|METRICS_[A-Z]+|[A-Z]+_CONCURRENCY)$/;

/** A line that the launcher or one of its programs has logged. */
export interface LogLine {
  readonly service: string;
  readonly msg: string;
  readonly program?: string;
  readonly child?: number;
}

/** `npm start`, seen from the terminal: by its lines, and by how it ends. */
export class Launcher {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  /** Resolves with the exit code; `null` where it was killed. */
  readonly exited: Promise<number | null>;
  /** Resolves when everybody who writes to its output is gone: the launcher and every service. */
  readonly deserted: Promise<unknown>;
  readonly #waiting = new Set<() => void>();

  /** @param command - the program to run, with its arguments */
  constructor(
    dataDir: string,
    env: Readonly<Record<string, string>> = {},
    [program, ...args]: readonly [string, ...string[]] = [process.execPath, START],
  ) {
    const own = Object.entries(process.env).filter(([name]) => !SETTINGS.test(name));
    this.process = guard(
      spawn(program, args, {
        cwd: ROOT,
        env: { ...Object.fromEntries(own), PORT: "0", SLUICE_DATA: dataDir, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      }),
      "SIGTERM",
    );
    const { stdout, stderr } = this.process;
    if (stdout === null || stderr === null) throw new Error("the output is no pipe");
    for (const input of [stdout, stderr]) {
      createInterface({ input }).on("line", (line) => {
        this.lines.push(line);
        for (const look of this.#waiting) look();
      });
    }
    this.deserted = once(stdout, "close");
    this.exited = once(this.process, "exit").then(([code]) => code as number | null);
  }

  /**
   * Resolves with the first line from `from` on that matches.
   *
   * @throws where the launcher has ended without one
   */
  line(pattern: RegExp, from = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.lines.slice(from).find((line) => pattern.test(line));
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      void this.deserted.then(() => {
        if (this.#waiting.delete(look))
          reject(new Error(`no line ${pattern} in\n${this.lines.join("\n")}`));
      });
      look();
    });
  }

  /** Resolves with the API's address. */
  async ready(): Promise<string> {
    const line = await this.line(/^Sluice is ready: /);
    return /ready: (\S+)/.exec(line)?.[1] ?? "";
  }

  /** What was said to the person at the terminal. */
  said(): string[] {
    return this.lines.filter((line) => !line.startsWith("{"));
  }

  log(): LogLine[] {
    return this.lines
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** The process number that a program was started with last. */
  pidOf(program: string): number {
    const started = this.log().findLast(
      (line) => line.msg === "started" && line.program === program,
    );
    if (started?.child === undefined) throw new Error(`${program} was not started`);
    return started.child;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.process.kill(signal);
    await this.deserted;
    return this.exited;
  }
}
