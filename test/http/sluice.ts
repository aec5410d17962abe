import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { main } from "../../packages/cli/src/main.js";

const PROGRAM = fileURLToPath(new URL("../../packages/cli/bin/sluice.mjs", import.meta.url));

export interface CommandEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as a program of its own, with nothing in its environment but what is given. */
export function runSluice(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CommandEnd> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROGRAM, ...args],
      { env: { PATH: process.env["PATH"], ...env } },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** As {@link runSluice}, in this process, which takes a hundredth of the time; one at a time. */
export async function callSluice(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CommandEnd> {
  const said = { stdout: "", stderr: "" };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text, ...others: unknown[]) => {
      said[name] += typeof text === "string" ? text : Buffer.from(text).toString();
      const done = others.find((other) => typeof other === "function");
      (done as (() => void) | undefined)?.();
      return true;
    }),
  );
  try {
    return { code: await main(args), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
}
