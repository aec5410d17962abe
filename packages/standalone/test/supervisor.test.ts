import { type ChildProcess, spawn } from "node:child_process";
import { createLog } from "@sluice/runtime";
import { afterEach, describe, expect, it } from "vitest";
import { LOOP_LENGTH, restartDelayMs } from "../src/backoff.js";
import { type Program, Supervisor } from "../src/supervisor.js";

const log = createLog("test", { logLevel: "silent" });

const READY = "process.stdout.write('ready'); setInterval(() => {}, 60000);";
const DEAF = `process.on('SIGTERM', () => {}); ${READY}`;

class Started {
  readonly processes: ChildProcess[] = [];
  readonly said: string[] = [];
  readonly supervisor: Supervisor;
  #waiting: (() => void)[] = [];

  constructor(code: (nth: number) => string, options: Partial<Program> = {}) {
    const program: Program = {
      name: "thing",
      stopSignal: "SIGTERM",
      killSignal: "SIGKILL",
      stopTimeoutMs: 60_000,
      spawn: () => {
        const child = spawn(process.execPath, ["-e", code(this.processes.length)], {
          stdio: ["ignore", "pipe", "ignore"],
          detached: true,
        });
        this.processes.push(child);
        return child;
      },
      untilReady: (child) =>
        new Promise((resolve) => {
          child.stdout?.once("data", () => {
            resolve();
            for (const wake of this.#waiting.splice(0)) setImmediate(wake);
          });
        }),
      ...options,
    };
    const say = (line: string): void => void this.said.push(line);
    this.supervisor = new Supervisor(program, log, say, () => 0);
  }

  /** Resolves when the next process is ready. */
  nextReady(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  killNewest(): void {
    this.processes.at(-1)?.kill("SIGKILL");
  }
}

let started: Started | undefined;

afterEach(() => {
  started?.supervisor.kill();
  started = undefined;
});

describe("a supervised program", () => {
  it("is started, and stops when it is asked to", async () => {
    started = new Started(() => READY);
    await started.supervisor.start();
    expect(started.supervisor.isReady).toBe(true);
    expect(await started.supervisor.stop()).toBe(true);
    expect(started.processes).toHaveLength(1);
    expect(started.processes[0]?.signalCode).toBe("SIGTERM");
    expect(await started.supervisor.stop()).toBe(true);
  });

  it("is started again each time it is killed", async () => {
    started = new Started(() => READY);
    await started.supervisor.start();
    for (let times = 0; times < 3; times++) {
      const ready = started.nextReady();
      started.killNewest();
      await ready;
    }
    expect(started.processes).toHaveLength(4);
    expect(await started.supervisor.stop()).toBe(true);
    expect(started.processes).toHaveLength(4);
  });

  it("is killed where it does not stop in time", async () => {
    started = new Started(() => DEAF, { stopTimeoutMs: 1 });
    await started.supervisor.start();
    expect(await started.supervisor.stop()).toBe(false);
    expect(started.processes[0]?.signalCode).toBe("SIGKILL");
  });

  it("is given up where it never was ready", async () => {
    started = new Started(() => "process.exit(7)");
    await expect(started.supervisor.start()).rejects.toThrow("thing does not start (exit code 7)");
    expect(started.processes).toHaveLength(LOOP_LENGTH);
  });

  it("is given up at once where it says that there is no hope", async () => {
    started = new Started(() => "process.exit(2)", { hopelessExitCode: 2 });
    await expect(started.supervisor.start()).rejects.toThrow("thing does not start (exit code 2)");
    expect(started.processes).toHaveLength(1);
  });

  it("is told of, and tried on, where it keeps ending later", async () => {
    started = new Started((nth) => (nth === 0 || nth > LOOP_LENGTH ? READY : "process.exit(1)"));
    await started.supervisor.start();
    const again = started.nextReady();
    started.killNewest();
    await again;
    expect(started.said[0]).toContain(
      `thing has ended ${LOOP_LENGTH} times before it was ready (exit code 1)`,
    );
    expect(started.said[1]).toBe("thing runs again.");
  });

  it("that cannot be started at all is given up", async () => {
    const missing = { spawn: () => spawn("/nowhere/thing", { stdio: "ignore" }) };
    started = new Started(() => "", missing);
    await expect(started.supervisor.start()).rejects.toThrow("thing does not start");
  });

  it("can be stopped before it is ready", async () => {
    started = new Started(() => "setInterval(() => {}, 60000)");
    const [starting] = await Promise.allSettled([
      started.supervisor.start(),
      started.supervisor.stop(),
    ]);
    expect(starting).toMatchObject({
      reason: { message: "thing was stopped before it was ready" },
    });
  });
});

describe("the wait before a restart", () => {
  it("is none at first, and grows to ten seconds", () => {
    expect([0, 1, 2, 3, 4].map(restartDelayMs)).toEqual([0, 0, 200, 400, 800]);
    expect(restartDelayMs(1_000)).toBe(10_000);
  });
});
