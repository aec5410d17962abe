import type { EntryError } from "../entry.js";

const CODES: Readonly<Record<string, EntryError["code"]>> = {
  ENOENT: "not-found",
  ENOTDIR: "not-found",
  EACCES: "not-permitted",
  EPERM: "not-permitted",
  EISDIR: "not-a-file",
};

/** What the file system's refusal means, in its own words. */
export function fileError(error: unknown): EntryError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  // `ENOENT: no such file or directory, open '…'`
  const words = /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1];
  return { code: CODES[code] ?? "unreadable", message: words ?? message };
}
