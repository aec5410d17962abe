import { randomUUID } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  opendir,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { assertKey, assertPrefix, assertRange, isKey } from "./input-rules.js";
import {
  type ByteRange,
  type ForeignEntry,
  InvalidKeyError,
  ObjectNotFoundError,
  type ObjectStat,
  type ObjectStore,
  type OpenOptions,
  PROBE_BYTES,
  StoreFullError,
  StoreMissingError,
  StoreUnavailableError,
} from "./object-store.js";

/** No valid key has a segment that begins with a dot. */
const TEMPORARY_PREFIX = ".tmp-";
/** No write takes that long: a temporary this old, in milliseconds, was left by a crash. */
const STALE_TEMPORARY_MS = 3_600_000;
/** How often a directory that others tidy away under a write is made again. */
const MAKE_DIRECTORY_TRIES = 10;

/**
 * Objects as files in a directory.
 *
 * A write goes to a temporary file in the same directory, is synced and renamed, and the directory is
 * synced: readers see the old bytes or the new, and what {@link put} acknowledged survives a power cut.
 * What a crashed write leaves behind is invisible, and removed by the next {@link list} that passes by
 * an hour later. The directory itself is made when the store is opened and never again: where it
 * vanishes (a volume that is not mounted), every operation fails and none says "not found".
 */
export class FileSystemObjectStore implements ObjectStore {
  readonly description: string;
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
    this.description = pathToFileURL(root).href;
  }

  /**
   * Opens a directory as a store; it is made if it is missing, unless it must exist.
   *
   * @throws {@link StoreUnavailableError} where it cannot be made, or is not a directory; {@link StoreMissingError}
   */
  static async open(
    directory: string,
    { mustExist = false }: OpenOptions = {},
  ): Promise<FileSystemObjectStore> {
    const store = new FileSystemObjectStore(resolve(directory));
    try {
      if (!mustExist) await makeDirectory(store.#root);
      else if (!(await isDirectory(store.#root)))
        throw new StoreMissingError(`${store.description}: there is no such directory`);
    } catch (error) {
      if (error instanceof StoreMissingError) throw error;
      throw store.#unavailable("open", error);
    }
    return store;
  }

  async put(key: string, bytes: Buffer): Promise<void> {
    const path = this.#path(key);
    const temporary = join(dirname(path), TEMPORARY_PREFIX + randomUUID());
    try {
      await this.#write(temporary, bytes);
      await rename(temporary, path);
      await syncDirectory(dirname(path));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      await this.#tidy(dirname(path));
      if (hasCode(error, "EISDIR", "ENOTDIR", "EEXIST", "ENOTEMPTY")) {
        throw new InvalidKeyError(`object key ${key} lies above or below another object's key`);
      }
      throw this.#unavailable(`put ${key}`, error);
    }
  }

  async get(key: string, range?: ByteRange): Promise<Buffer> {
    if (range !== undefined) assertRange(range);
    const path = this.#path(key);
    try {
      // Whoever opens a pipe that nobody writes to would wait for ever.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        if (!(await file.stat()).isFile()) throw new ObjectNotFoundError(key);
        return range === undefined ? await file.readFile() : await readRange(file, range);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof ObjectNotFoundError) throw error;
      if (!isAbsence(error)) throw this.#unavailable(`get ${key}`, error);
      await this.#assertRoot();
      throw new ObjectNotFoundError(key);
    }
  }

  async stat(key: string): Promise<ObjectStat | undefined> {
    const path = this.#path(key);
    try {
      const found = await stat(path);
      if (found.isFile()) return { key, size: found.size, modifiedAt: found.mtime };
    } catch (error) {
      if (!isAbsence(error)) throw this.#unavailable(`stat ${key}`, error);
      await this.#assertRoot();
    }
    return undefined;
  }

  async copy(from: string, to: string): Promise<void> {
    // A hard link would be cheaper, but has the original's age, and the orphan sweep goes by age.
    assertKey(to);
    await this.put(to, await this.get(from));
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    try {
      await unlink(path);
    } catch (error) {
      // A directory is no object; which of the two codes it gives depends on the system.
      if (!isAbsence(error) && !(hasCode(error, "EPERM") && (await isDirectory(path)))) {
        throw this.#unavailable(`delete ${key}`, error);
      }
      await this.#assertRoot();
      return;
    }
    await this.#tidy(dirname(path));
  }

  async *list(
    prefix: string,
    onForeign: (entry: ForeignEntry) => void = () => undefined,
  ): AsyncIterable<ObjectStat> {
    assertPrefix(prefix);
    await this.#assertRoot();
    const end = prefix.lastIndexOf("/") + 1;
    try {
      yield* this.#walk(prefix.slice(0, end), prefix.slice(end), onForeign);
    } catch (error) {
      throw this.#unavailable(`list ${prefix}`, error);
    }
    // Gone meanwhile: the list is not whole.
    await this.#assertRoot();
  }

  async check(): Promise<void> {
    const path = join(this.#root, TEMPORARY_PREFIX + randomUUID());
    try {
      const file = await open(path, "wx+");
      try {
        await file.writeFile("ok");
        await readRange(file, { offset: 0, length: 2 });
      } finally {
        await file.close();
        await unlink(path);
      }
    } catch (error) {
      throw this.#unavailable("check", error);
    }
  }

  async probeRoom(): Promise<void> {
    const temporary = join(this.#root, TEMPORARY_PREFIX + randomUUID());
    try {
      await this.#write(temporary, Buffer.alloc(PROBE_BYTES));
    } catch (error) {
      throw this.#unavailable("probe", error);
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {}

  #path(key: string): string {
    assertKey(key);
    return join(this.#root, key);
  }

  async #write(path: string, bytes: Buffer): Promise<void> {
    const file = await this.#create(path);
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #create(path: string): Promise<FileHandle> {
    for (let tries = 1; ; tries++) {
      try {
        return await open(path, "wx");
      } catch (error) {
        if (!hasCode(error, "ENOENT") || tries === MAKE_DIRECTORY_TRIES) throw error;
      }
      await this.#assertRoot();
      try {
        await makeDirectory(dirname(path));
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error;
      }
    }
  }

  /** Everything under a folder (empty, or ending in a slash) whose name begins so. */
  async *#walk(
    folder: string,
    nameStart: string,
    onForeign: (entry: ForeignEntry) => void,
  ): AsyncIterable<ObjectStat> {
    try {
      for await (const entry of await opendir(join(this.#root, folder))) {
        if (entry.name.startsWith(TEMPORARY_PREFIX)) {
          await removeIfStale(join(this.#root, folder, entry.name));
          continue;
        }
        if (!entry.name.startsWith(nameStart)) continue;
        const name = folder + entry.name;
        const what = foreign(entry, name);
        if (what !== undefined) onForeign({ name, what });
        if (!isKey(name)) continue;
        if (entry.isDirectory()) {
          yield* this.#walk(`${name}/`, "", onForeign);
        } else {
          const found = await this.stat(name).catch((error: unknown) => {
            // A link that leads nowhere is nobody's object, and was told as foreign.
            if (!entry.isSymbolicLink()) throw error;
            return undefined;
          });
          if (found !== undefined) yield found;
        }
      }
    } catch (error) {
      // Deleted meanwhile, or never there.
      if (!isAbsence(error)) throw error;
    }
  }

  /** Removes empty directories, upwards, until one is still in use. */
  async #tidy(directory: string): Promise<void> {
    for (let path = directory; path !== this.#root; path = dirname(path)) {
      try {
        await rmdir(path);
      } catch {
        return;
      }
    }
  }

  async #assertRoot(): Promise<void> {
    const there = await isDirectory(this.#root).catch((error: unknown) => {
      throw this.#unavailable("look at the directory", error);
    });
    if (there) return;
    throw new StoreUnavailableError(
      `${this.description}: the directory is gone; is its volume mounted?`,
    );
  }

  #unavailable(operation: string, error: unknown): Error {
    if (error instanceof StoreUnavailableError || error instanceof InvalidKeyError) return error;
    const ErrorClass = isFull(error) ? StoreFullError : StoreUnavailableError;
    return new ErrorClass(`${this.description}: ${operation}: ${explain(error)}`, {
      cause: error,
    });
  }
}

/** What is wrong with an entry of a directory; `undefined` where it may be an object, or lead to some. */
function foreign(entry: Dirent, name: string): string | undefined {
  if (!isKey(name)) return "has a name that Sluice gives to none of its objects";
  if (entry.isSymbolicLink()) return "is a symbolic link";
  if (entry.isFile() || entry.isDirectory()) return undefined;
  return "is neither a file nor a directory";
}

async function readRange(file: FileHandle, { offset, length }: ByteRange): Promise<Buffer> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Makes a directory and those above it, and syncs each that got a new entry. */
async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    await syncDirectory(dirname(made));
    if (made === first) return;
  }
}

async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle;
  try {
    directory = await open(path, "r");
  } catch (error) {
    // Somebody deleted the object, and the directory with it.
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function removeIfStale(temporary: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(temporary);
    if (Date.now() - mtimeMs > STALE_TEMPORARY_MS) await unlink(temporary);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return hasCode(error, "ENOENT", "ENOTDIR", "EISDIR");
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** A file system without free inodes says ENOSPC as well. */
function isFull(error: unknown): boolean {
  return hasCode(error, "ENOSPC", "EDQUOT");
}

function explain(error: unknown): string {
  if (isFull(error)) return "no space left on the disk";
  if (hasCode(error, "EACCES", "EPERM")) return "this user may not read or write there";
  if (hasCode(error, "EROFS")) return "the file system is mounted read-only";
  if (hasCode(error, "ENOTDIR", "EEXIST")) return "not a directory";
  return error instanceof Error ? error.message : String(error);
}
