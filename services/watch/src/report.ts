import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RefusedFile } from "@sluice/catalog";
import type { CaseTwin } from "./case-twins.js";

const REPORT = ".sluice-report.ndjson";
/** Patterns of what is the watcher's own. */
export const OWN_FILES: readonly string[] = [".sluice-*", ".sluiceignore"];
/** The API has the rest. */
export const MAX_REPORTED = 10_000;

/** Puts the list of what was refused, and of what is taken with a warning, in the place of the one before, whole or not at all. */
export async function writeReport(
  root: string,
  refused: readonly RefusedFile[],
  twins: readonly CaseTwin[],
): Promise<void> {
  const now = new Date();
  const lines = [
    ...refused.map((file) => ({ ...file, outcome: "refused" })),
    ...twins.map(({ path, of }) => ({
      path,
      code: "case_twin",
      detail: `It differs from ${JSON.stringify(of)} in upper and lower case alone.`,
      seenAt: now,
      outcome: "warned",
    })),
  ].map(({ path, code, detail, seenAt, outcome }) =>
    JSON.stringify({ path, code, detail, seen_at: seenAt.toISOString(), outcome }),
  );
  const temporary = join(root, `${REPORT}.${randomBytes(6).toString("hex")}`);
  // "wx" follows no symbolic link that somebody has put there.
  const file = await open(temporary, "wx", 0o644);
  try {
    await file.writeFile(lines.map((line) => `${line}\n`).join(""));
    await file.close();
    await rename(temporary, join(root, REPORT));
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
}
