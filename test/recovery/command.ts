import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { guard, temporaryDirectory } from "../servers/index.js";
import type { Stores } from "./fixture.js";

export const SLUICE = fileURLToPath(new URL("../../packages/cli/bin/sluice.mjs", import.meta.url));

/** A program that runs on stores. */
export interface Running {
  readonly child: ChildProcess;
  /** Exit code, or the signal that ended it, with all that it has said. */
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
}

/** Starts a Node.js program with the settings that name these stores. */
export function start(
  program: readonly string[],
  { catalogUrl, objects, backup }: Pick<Stores, "catalogUrl" | "objects" | "backup">,
  env: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(process.execPath, program, {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      CATALOG_URL: catalogUrl,
      OBJECT_STORE_URL: objects.description,
      BACKUP_URL: backup.description,
      SLUICE_DATA: temporaryDirectory(),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  guard(child, "SIGTERM");
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (said += data.toString()));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, said }));
  return { child, ended };
}
