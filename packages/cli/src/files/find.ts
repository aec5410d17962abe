/** Which files are meant: arguments, lists of names, and what is in directories. */
import type { Dirent, Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import type { EntryError } from "../entry.js";
import { fileError } from "./failure.js";

/** A file to read, or why it cannot be. */
export interface FoundFile {
  readonly name: Buffer;
  readonly error?: EntryError;
}

/** What a name means: a file is itself, a directory the Python files in it. */
export async function* findFiles(name: Buffer): AsyncGenerator<FoundFile> {
  let stats: Stats;
  try {
    stats = await stat(name);
  } catch (error) {
    yield { name, error: fileError(error) };
    return;
  }
  if (stats.isFile()) yield { name };
  else if (stats.isDirectory()) yield* walk(name);
  // Nothing else is ever opened: opening a FIFO waits, and opening a device does things.
  else yield { name, error: { code: "not-a-file", message: "not a regular file" } };
}

/**
 * Every `.py` and `.pyw` file in a directory and below, in the order of the bytes of their names. Not looked at: what is hidden (a
 * name that starts with a dot), `__pycache__`, `node_modules`, virtual environments, and symbolic links to directories. Names are
 * bytes throughout, which is why no glob library does it.
 */
async function* walk(directory: Buffer): AsyncGenerator<FoundFile> {
  let items: Dirent<Buffer>[];
  try {
    items = await readdir(directory, { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    yield { name: directory, error: fileError(error) };
    return;
  }
  items.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const item of items) {
    const name = Buffer.concat([
      directory,
      SLASH.subarray(directory.at(-1) === SLASH[0] ? 1 : 0),
      item.name,
    ]);
    const base = item.name.toString("latin1");
    if (base.startsWith(".")) continue;
    if (item.isDirectory()) {
      if (!(await isSkipped(name, base))) yield* walk(name);
    } else if (/\.pyw?$/.test(base)) {
      if (item.isFile()) yield { name };
      else if (!(await isDirectory(name))) yield* findFiles(name);
    }
  }
}

const SLASH = Buffer.from("/");
const SKIPPED = new Set(["__pycache__", "node_modules"]);

/** The directory named on the command line is never skipped, only those below it. */
async function isSkipped(directory: Buffer, base: string): Promise<boolean> {
  // PEP 405: the file that makes a directory a virtual environment.
  return (
    SKIPPED.has(base) || (await exists(Buffer.concat([directory, Buffer.from("/pyvenv.cfg")])))
  );
}

async function exists(name: Buffer): Promise<boolean> {
  return stat(name).then(
    () => true,
    () => false,
  );
}

async function isDirectory(name: Buffer): Promise<boolean> {
  return stat(name).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
