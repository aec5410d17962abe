import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RefusedFile } from "@sluice/catalog";

const REPORT = ".sluice-report.ndjson";
/** Patterns of what is the watcher's own. */
export const OWN_FILES: readonly string[] = [".sluice-*", ".sluiceignore"];
/** The API has the rest. */
export const MAX_REPORTED = 10_000;

/** Puts the list of what was refused in the place of the one before, whole or not at all. */
export async function writeReport(root: string, refused: readonly RefusedFile[]): Promise<void> {
  const lines = refused.map(({ path, code, detail, seenAt }) =>
    JSON.stringify({ path, code, detail, seen_at: seenAt.toISOString() }),
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
