import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Script } from "./generate.js";

/** What a script did in Python. */
export interface Outcome {
  /** The capabilities that it used, from the events of the audit hook. */
  readonly events: readonly string[];
  /** The exception that ended it; empty for none. */
  readonly error: string;
}

const answer = z.object({ id: z.number(), events: z.array(z.string()), error: z.string() });

/** Runs scripts in a Python, one after the other, and gives what each did, in the same order. */
export async function runAudited(python: string, scripts: readonly Script[]): Promise<Outcome[]> {
  const driver = fileURLToPath(new URL("audit.py", import.meta.url));
  const child = spawn(python, ["-I", driver], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  child.stdin.on("error", () => {
    // Python ended early; that there are too few answers tells.
  });
  child.stdin.end(scripts.map(({ source }, id) => `${JSON.stringify({ id, source })}\n`).join(""));
  const outcomes: Outcome[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const { id, events, error } = answer.parse(JSON.parse(line));
    outcomes[id] = { events, error };
  }
  const [code] = (await exited) as [number | null];
  if (code !== 0 || outcomes.length !== scripts.length)
    throw new Error(
      `Python answered ${outcomes.length} of ${scripts.length} and exited with ${code}`,
    );
  return outcomes;
}
