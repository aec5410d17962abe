import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Catalog,
  listStoredFiles,
  noteStandings,
  type StoredFile,
  trashDeparted,
} from "@sluice/catalog";
import type { Logger, ServiceSettings } from "@sluice/runtime";
import { type DirectoryLease, LeaseLostError } from "./directory-lease.js";
import { codeOf } from "./read-within.js";
import type { WatchMetrics } from "./watch-metrics.js";

export interface DepartureDeps {
  readonly catalog: Catalog;
  readonly settings: ServiceSettings;
  readonly counters: WatchMetrics;
  readonly log: Logger;
}

const PAGE = 500;

/**
 * Takes the scripts of deleted files into the trash, where the settings say so. What is gone may be an unmounted disk as well: so a file
 * has to be gone for a while, the file system that it was on has to be there, and where too much is gone at once nothing goes.
 */
export class Departures {
  #brake: string | undefined;

  constructor(
    private readonly directory: string,
    private readonly lease: DirectoryLease,
    private readonly deps: DepartureDeps,
  ) {}

  /** Why nothing is taken for deleted at the moment. */
  get brake(): string | undefined {
    return this.#brake;
  }

  /** Looks for every file that became a script. To be called after a whole scan. */
  async review(root: string): Promise<void> {
    const { settings, catalog, counters, log } = this.deps;
    if (!settings.watchDeleteDirs.includes(this.directory)) return;
    const { total, gone } = await this.#note(root);
    const most = (total * settings.watchDeleteMaxPercent) / 100;
    if ((await this.#isAnyDue()) && (gone > most || gone === total)) {
      this.#brake =
        `${gone} of ${total} files are gone at once, more than WATCH_DELETE_MAX_PERCENT allows ` +
        `(${settings.watchDeleteMaxPercent}, and never all): no script is deleted`;
      return;
    }
    this.#brake = undefined;
    const { directory } = this;
    for await (const files of this.#pages(settings.watchDeleteGraceMs)) {
      const paths = (await Promise.all(files.map((file) => this.#stateOf(root, file))))
        .filter(({ state }) => state === "gone")
        .map(({ path }) => path);
      if (paths.length === 0) continue;
      const { token } = this.lease;
      const deleted = await trashDeparted(catalog, {
        directory,
        token,
        paths,
        trashMs: settings.trashMs,
      });
      if (deleted === undefined) throw new LeaseLostError();
      counters.deleted(deleted);
      log.info({ paths: paths.slice(0, 10), deleted }, "scripts of deleted files are in the trash");
    }
  }

  async #isAnyDue(): Promise<boolean> {
    for await (const _ of this.#pages(this.deps.settings.watchDeleteGraceMs)) return true;
    return false;
  }

  async #note(root: string): Promise<{ total: number; gone: number }> {
    const { catalog } = this.deps;
    let total = 0;
    let count = 0;
    for await (const files of this.#pages()) {
      const looks = await Promise.all(files.map((file) => this.#stateOf(root, file)));
      const gone = looks.filter(({ state }) => state === "gone");
      const changed = new Map(files.map((file) => [file.path, file]));
      await noteStandings(catalog, {
        directory: this.directory,
        gone: gone.map(({ path }) => path),
        there: looks.flatMap(({ path, state, dev }) => {
          const file = changed.get(path);
          const isNews = file?.isGone === true || file?.dev !== dev;
          return state === "there" && dev !== undefined && isNews ? [{ path, dev }] : [];
        }),
      });
      total += files.length;
      count += gone.length;
    }
    return { total, gone: count };
  }

  async *#pages(goneMs?: number): AsyncGenerator<readonly StoredFile[]> {
    const { directory } = this;
    for (let after: string | undefined; ;) {
      this.lease.check();
      const files = await listStoredFiles(this.deps.catalog, {
        directory,
        after,
        limit: PAGE,
        goneMs,
      });
      if (files.length > 0) yield files;
      if (files.length < PAGE) return;
      after = files.at(-1)?.path;
    }
  }

  /** A file that cannot be looked at is not gone, nor is one whose file system is not where it was. */
  async #stateOf(
    root: string,
    { path, dev }: StoredFile,
  ): Promise<{ path: string; state: "there" | "gone" | "unknown"; dev?: bigint }> {
    const found = await statOf(join(root, path));
    if (typeof found !== "string") return { path, state: "there", dev: found.dev };
    if (!isAbsent(found)) return { path, state: "unknown" };
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const above = await statOf(join(root, folder));
      if (typeof above !== "string") return { path, state: above.dev === dev ? "gone" : "unknown" };
      if (!isAbsent(above) || folder === ".") return { path, state: "unknown" };
    }
  }
}

async function statOf(path: string): Promise<{ readonly dev: bigint } | string> {
  return lstat(path, { bigint: true }).catch(codeOf);
}

function isAbsent(code: string): boolean {
  return code === "ENOENT" || code === "ENOTDIR";
}
