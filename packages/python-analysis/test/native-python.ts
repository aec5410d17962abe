import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findPython, type Python } from "../src/verdict/python.js";

const NAME = "python3";
const found = await findPython(executable()).catch((error: unknown) => error as Error);

/** The interpreter behind whatever wrapper is on PATH. */
function executable(): string {
  const asked = spawnSync(NAME, ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
  return asked.stdout?.trim() || NAME;
}

/** A `describe` for the Python on PATH. Without one it is skipped, and the summary says so; with CI=true it fails. */
export function describeNative(name: string, body: (python: Python) => void): void {
  if (!(found instanceof Error)) {
    describe(`${name} (Python ${found.version})`, () => body(found));
    return;
  }
  const reason = `no Python to ask: it ${found.message} (apt-get install ${NAME})`;
  if (process.env["CI"] === "true") {
    test(name, () => {
      throw new Error(reason);
    });
  } else {
    test(name, ({ skip }) => skip(reason));
  }
}

/** Interpreters that judge for a process, by their numbers; those that are dead and not waited for, too. Linux only. */
export function judgesOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat?.parent === parent && (stat.state === "Z" || /judge\.py/.test(commandOf(pid)));
    });
}

/** Resolves when a process does not run any more; whether it was waited for is another matter. */
export function untilDead(pid: number): Promise<void> {
  return expect.poll(() => statOf(pid)?.state ?? "Z", { timeout: 30_000 }).toBe("Z");
}

interface Stat {
  readonly state: string;
  readonly parent: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: state!, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
