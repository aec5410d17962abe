import { isUtf8 } from "node:buffer";
import { type BigIntStats, type FSWatcher, watch } from "node:fs";
import { basename, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";

/** More paths than these are left to the next whole scan. */
const MAX_PATHS = 100_000;

/** What has happened to a path since it was asked last. */
export interface PathEvents {
  /** A file of that name has appeared, or gone; it has not been written to since. */
  readonly appeared: boolean;
  /** The path whose event came just before it: where a rename came from, if it was one. */
  readonly after: string | undefined;
}

interface Watched {
  readonly watcher: FSWatcher;
  readonly ino: bigint;
  readonly dev: bigint;
  scan: number;
}

/**
 * Paths below a directory at which the file system says that something has changed. Folders are watched, not files, so that a million
 * files cost inotify no more than the folders that they are in; chokidar takes a watch for each file, and tells a rename from no write.
 */
export class DirectoryEvents {
  readonly #folders = new Map<string, Watched>();
  #paths = new Map<string, PathEvents>();
  #last: string | undefined;
  #scan = 0;
  #overflowed = false;
  #failure: string | undefined;
  #wake = (): void => {};

  constructor(private readonly root: string) {}

  /** Why no more events come; `undefined` where they do. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Events were dropped since this was asked last: only a whole scan finds what they were about. */
  takeOverflow(): boolean {
    const overflowed = this.#overflowed;
    this.#overflowed = false;
    return overflowed;
  }

  /** Resolves when there are events, and at once where there are some. */
  async some(): Promise<void> {
    if (this.#paths.size > 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Before a whole scan, which {@link watchFolder | names} every folder there is. */
  beginScan(): void {
    this.#scan += 1;
  }

  /** After it: the folders that it has not named are gone. */
  endScan(): void {
    for (const [folder, { scan }] of this.#folders) if (scan !== this.#scan) this.#drop(folder);
  }

  /** Watches a folder, before its entries are read. Another folder in its place is watched anew. */
  watchFolder(folder: string, { ino, dev }: Pick<BigIntStats, "ino" | "dev">): void {
    if (this.#failure !== undefined) return;
    const watched = this.#folders.get(folder);
    if (watched?.ino === ino && watched.dev === dev) {
      watched.scan = this.#scan;
      return;
    }
    this.#drop(folder);
    try {
      const watcher = watch(join(this.root, folder), { encoding: "buffer" }, (kind, name) =>
        this.#note(folder, kind, name),
      );
      watcher.on("error", (error) => this.#fail(error));
      this.#folders.set(folder, { watcher, ino, dev, scan: this.#scan });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Tries to get events again. */
  retry(): void {
    this.#failure = undefined;
  }

  /** The paths since it was asked last. */
  take(): ReadonlyMap<string, PathEvents> {
    const paths = this.#paths;
    this.#paths = new Map();
    return paths;
  }

  /** Says whether something has happened to a path between the last {@link take} and this call, whatever was delivered by then. */
  async hasNews(path: string): Promise<boolean> {
    // The events of what happened before the call are read in the next poll phase, if not in this one.
    await turn();
    await turn();
    return this.#paths.has(path) || this.#overflowed;
  }

  close(): void {
    for (const folder of this.#folders.keys()) this.#drop(folder);
    this.#wake();
  }

  #note(folder: string, kind: string, raw: Buffer | null): void {
    // A name that is not UTF-8 is told by the scan.
    if (raw === null || !isUtf8(raw)) return;
    const name = raw.toString();
    if (kind === "rename" && name === basename(join(this.root, folder))) {
      // This may be the folder itself, moved or gone: its watch is of no use then, even if another takes its place.
      this.#drop(folder);
      this.#add(folder, true);
    }
    this.#add(folder === "" ? name : `${folder}/${name}`, kind === "rename");
    this.#wake();
  }

  #add(path: string, appeared: boolean): void {
    if (this.#paths.size >= MAX_PATHS && !this.#paths.has(path)) this.#overflowed = true;
    else this.#paths.set(path, { appeared, after: this.#last });
    this.#last = path;
  }

  #fail(error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    // A folder that cannot be read is the scan's to tell; the others are followed all the same.
    if (code === "EACCES" || code === "EPERM" || code === "ENOENT" || code === "ENOTDIR") return;
    this.#failure ??=
      code === "ENOSPC" || code === "EMFILE"
        ? `${code}: the limit of inotify is reached (fs.inotify.max_user_watches, max_user_instances)`
        : message;
    // What it holds is of no use to it, and others may lack it.
    this.close();
  }

  #drop(folder: string): void {
    this.#folders.get(folder)?.watcher.close();
    this.#folders.delete(folder);
  }
}
