import { relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type FSWatcher, watch } from "chokidar";

/** More paths than these are left to the next whole scan. */
const MAX_PATHS = 100_000;
const READY_MS = 60_000;

/** Paths below a directory at which the file system says that something has changed. */
export class DirectoryEvents {
  readonly #paths = new Set<string>();
  readonly #watcher: FSWatcher;
  #failure: string | undefined;

  /** @param ignored - asked for paths below the directory */
  constructor(root: string, ignored: (path: string) => boolean) {
    const below = (path: string): string => relative(root, path);
    this.#watcher = watch(root, {
      followSymlinks: false,
      ignoreInitial: true,
      ignored: (path, stats) => {
        const inside = below(path);
        return inside !== "" && ignored(stats?.isDirectory() === true ? `${inside}/` : inside);
      },
    });
    this.#watcher.on("all", (event, path) => {
      if ((event === "add" || event === "change") && this.#paths.size < MAX_PATHS) {
        this.#paths.add(below(path));
      }
    });
    this.#watcher.on("error", (error) => {
      const { code, message } = error as NodeJS.ErrnoException;
      // A folder that cannot be read is the scan's to tell; the others are followed all the same.
      if (code === "EACCES" || code === "EPERM" || code === "ENOENT") return;
      this.#failure ??=
        code === "ENOSPC" || code === "EMFILE"
          ? `${code}: the limit of inotify is reached (fs.inotify.max_user_watches, max_user_instances)`
          : message;
      void this.#watcher.close();
    });
  }

  /** Why no more events come; `undefined` where they do. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Resolves when every folder is watched, or cannot be. */
  async ready(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    await Promise.race([
      new Promise<void>((resolve) => {
        this.#watcher.once("ready", () => resolve());
        this.#watcher.once("error", () => resolve());
      }),
      delay(READY_MS, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(
        () => {},
      ),
    ]);
    over.abort();
  }

  /** The paths since it was asked last. */
  take(): string[] {
    const paths = [...this.#paths];
    this.#paths.clear();
    return paths;
  }

  close(): Promise<void> {
    return this.#watcher.close();
  }
}
