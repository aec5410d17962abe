import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type Catalog,
  findWatchedFiles,
  findWatchedNames,
  findFormerPaths,
  GroupCommit,
  renameScript,
  type RenamedFile,
  saveWatchedFiles,
  type WatchedFile,
} from "@sluice/catalog";
import { DEFAULT_NAMESPACE, MAX_FILE_BYTES, sanitiseFilename } from "@sluice/contracts";
import type { Logger, ServiceSettings } from "@sluice/runtime";
import pLimit from "p-limit";
import type { DirectoryEvents, PathEvents } from "./directory-events.js";
import type { DirectoryLease } from "./directory-lease.js";
import { ChangedError, codeOf, isSame, readWithin, RefusedError } from "./read-within.js";
import { UnderWayError, type Uploader } from "./uploader.js";
import type { WatchMetrics } from "./watch-metrics.js";

export interface IntakeDeps {
  readonly catalog: Catalog;
  readonly uploader: Uploader;
  readonly settings: ServiceSettings;
  readonly counters: WatchMetrics;
  readonly log: Logger;
}

/** Why a path is not uploaded. */
export interface Refusal {
  readonly path: string;
  readonly code: string;
  readonly detail: string;
}

/** Files that are looked at together. */
export const LOOK = 500;
/** Files that are waited for, at most: those of a first scan are let in as others have settled. */
const MAX_SETTLING = 10_000;
/** Uploads at once; of large files, which are held in memory whole, fewer. */
const UPLOADS = 32;
const LARGE_UPLOADS = 2;
const LARGE_BYTES = 1_048_576n;
/** How long a file whose rename cannot be told by its times is looked at. */
const RENAME_MS = 100;

/** A file that is complete, and what is known of that path. */
interface Complete {
  readonly path: string;
  readonly stat: BigIntStats;
  readonly known: WatchedFile | undefined;
  readonly namespace: string;
  readonly filename: string;
}

/** Takes in what is complete of one directory, many files at a time, each once. */
export class FileIntake {
  /** Files that were seen and not yet left alone for long enough, with when that state was seen first. */
  readonly #settling = new Map<string, { readonly stat: BigIntStats; readonly since: number }>();
  readonly #upload = pLimit(UPLOADS);
  readonly #uploadLarge = pLimit(LARGE_UPLOADS);
  readonly #saves: GroupCommit<WatchedFile, void>;
  #postponed = false;

  constructor(
    private readonly directory: string,
    private readonly lease: DirectoryLease,
    private readonly deps: IntakeDeps,
  ) {
    this.#saves = new GroupCommit(
      async (files) => {
        lease.check();
        await saveWatchedFiles(deps.catalog, files);
        return files.map(() => {});
      },
      { maxItems: 500 },
    );
  }

  /** No more files can be waited for: those that are have to settle first. */
  get isFull(): boolean {
    return this.#settling.size >= MAX_SETTLING;
  }

  /** Files were left to the next scan since this was asked last. */
  takePostponed(): boolean {
    const postponed = this.#postponed;
    this.#postponed = false;
    return postponed;
  }

  forget(): void {
    this.#settling.clear();
  }

  /** Files that have been waited for long enough, to be looked at again. */
  due(): string[] {
    const before = performance.now() - this.deps.settings.watchSettleMs;
    const paths: string[] = [];
    for (const [path, { since }] of this.#settling) if (since <= before) paths.push(path);
    return paths;
  }

  /**
   * Looks at files, and uploads those that are complete and not known.
   *
   * @param events - those that have led to the paths
   * @returns the folders among them
   * @throws WaitError where Sluice takes no uploads now, when none is under way any more
   */
  async look(
    root: string,
    paths: readonly string[],
    events?: { readonly of: ReadonlyMap<string, PathEvents>; readonly source: DirectoryEvents },
  ): Promise<readonly string[]> {
    this.lease.check();
    const { catalog, counters } = this.deps;
    const known = await findWatchedFiles(catalog, { directory: this.directory, paths });
    const refused: Refusal[] = [];
    const complete: Complete[] = [];
    const folders: string[] = [];
    await Promise.all(
      paths.map(async (path) => {
        const stat = await statOf(join(root, path));
        if (stat !== undefined && "code" in stat) {
          refused.push({ path, ...stat });
        } else if (stat === undefined || !stat.isFile()) {
          this.#settling.delete(path);
          if (stat?.isDirectory() === true) folders.push(path);
        } else if (isKnown(known.get(path), stat)) {
          this.#settling.delete(path);
          counters.file("unchanged");
        } else if (
          this.#hasSettled(path, stat) ||
          (events !== undefined && (await this.#isMoved(root, path, stat, events)))
        ) {
          complete.push({ path, stat, known: known.get(path), ...this.#nameOf(path) });
        }
      }),
    );
    await this.refuse(refused);
    await this.#take(root, complete);
    return folders;
  }

  /** Remembers refusals that were not known. */
  async refuse(refusals: readonly Refusal[]): Promise<void> {
    this.lease.check();
    const { catalog } = this.deps;
    const paths = refusals.map(({ path }) => path);
    const known = await findWatchedFiles(catalog, { directory: this.directory, paths });
    await Promise.all(
      refusals
        .filter(({ path, code }) => {
          const file = known.get(path);
          return file?.refusal?.code !== code || file.sha256 !== undefined;
        })
        .map((refusal) => this.#saveRefusal(refusal, undefined, undefined)),
    );
  }

  /** Says whether a file has been as it is for long enough; if not, it is waited for. */
  #hasSettled(path: string, stat: BigIntStats): boolean {
    const seen = this.#settling.get(path);
    if (seen !== undefined && isSame(seen.stat, stat)) {
      return performance.now() - seen.since >= this.deps.settings.watchSettleMs;
    }
    this.#settling.delete(path);
    // One that goes on changing must not keep others out.
    if (this.isFull) this.#postponed = true;
    else this.#settling.set(path, { stat, since: performance.now() });
    return false;
  }

  /**
   * Says whether a file was put in its place whole. A file that is made there is empty, and whatever it is given afterwards has an event, at
   * the latest when the write is over. One that has bytes and no such event came by a rename (or a link): surely where its inode has
   * changed after its last write, since a write that is not over yet has set both times to one moment; and where all was within one
   * tick of the clock, by the name that it came from, which is gone, and by another look.
   */
  async #isMoved(
    root: string,
    path: string,
    stat: BigIntStats,
    { of, source }: { of: ReadonlyMap<string, PathEvents>; source: DirectoryEvents },
  ): Promise<boolean> {
    const event = of.get(path);
    if (event?.appeared !== true || stat.size === 0n) return false;
    if (stat.ctimeNs === stat.mtimeNs) {
      const { after } = event;
      if (after === undefined || after === path) return false;
      if ((await statOf(join(root, after))) !== undefined) return false;
      await new Promise((resolve) => setTimeout(resolve, RENAME_MS));
      const again = await statOf(join(root, path));
      if (again === undefined || "code" in again || !isSame(stat, again)) return false;
    }
    return !(await source.hasNews(path));
  }

  #nameOf(path: string): { namespace: string; filename: string } {
    const folder = dirname(path).normalize("NFC");
    const isOwn = this.deps.settings.watchNamespaces && folder !== ".";
    return {
      namespace: isOwn ? folder : DEFAULT_NAMESPACE,
      // As the API has it, so that two files that it would take for one are seen.
      filename: sanitiseFilename(basename(path)),
    };
  }

  async #take(root: string, complete: readonly Complete[]): Promise<void> {
    const others = new Map<string, WatchedFile[]>();
    for (const other of await findWatchedNames(this.deps.catalog, complete)) {
      const name = `${other.namespace}\0${other.filename}`;
      others.set(name, [...(others.get(name) ?? []), other]);
    }
    const names = new Set<string>();
    let failure: { readonly error: unknown } | undefined;
    await Promise.all(
      complete.flatMap((file) => {
        const name = `${file.namespace}\0${file.filename}`;
        // The second of one name waits for what becomes of the first.
        if (names.has(name)) return [];
        names.add(name);
        const limit = file.stat.size > LARGE_BYTES ? this.#uploadLarge : this.#upload;
        return [
          limit(async () => {
            if (failure !== undefined) return;
            try {
              await this.#takeOne(root, file, others.get(name) ?? []);
              this.#settling.delete(file.path);
            } catch (error) {
              if (error instanceof ChangedError) this.#settling.delete(file.path);
              else if (error instanceof UnderWayError) this.#waitAnew(file);
              else failure ??= { error };
            }
          }),
        ];
      }),
    );
    if (failure !== undefined) throw failure.error;
  }

  /** Lets a file that is complete be looked at again after a while. */
  #waitAnew({ path, stat }: Complete): void {
    this.#settling.set(path, { stat, since: performance.now() });
  }

  async #takeOne(root: string, file: Complete, others: readonly WatchedFile[]): Promise<void> {
    this.lease.check();
    let sha256: string | undefined;
    try {
      const bytes = await readWithin(root, file.path, MAX_FILE_BYTES, file.stat).catch(
        (error: unknown) => {
          if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) throw new ChangedError();
          if (error instanceof RefusedError || error instanceof ChangedError) throw error;
          const { code, detail } = unreadable(error);
          throw new RefusedError(code, detail);
        },
      );
      sha256 = createHash("sha256").update(bytes).digest("hex");
      await this.#store(root, file, bytes, sha256, others);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      await this.#saveRefusal(
        { path: file.path, code: error.code, detail: error.message },
        file,
        sha256,
      );
    }
  }

  async #store(
    root: string,
    { path, stat, known, namespace, filename }: Complete,
    bytes: Buffer,
    sha256: string,
    others: readonly WatchedFile[],
  ): Promise<void> {
    const { uploader, counters, log } = this.deps;
    const { size, mtimeNs, ino, dev } = stat;
    const file = { directory: this.directory, path, size, mtimeNs, ino, dev, sha256 };
    if (known?.sha256 === sha256 && known.refusal === undefined && known.namespace === namespace) {
      await this.#saves.add({ ...known, ...file });
      counters.file("unchanged");
      return;
    }
    if (known === undefined && (await this.#isRenamed(root, file, { namespace, filename }))) return;
    for (const other of others) await this.#refuseTwin(root, path, other);
    const identity = JSON.stringify([this.directory, path, namespace, sha256, `${mtimeNs}.${ino}`]);
    const stored = await uploader.upload(
      { identity, namespace, filename, bytes },
      this.lease.signal,
    );
    await this.#saves.add({
      ...file,
      scriptId: stored.script_id,
      namespace,
      filename,
      refusal: undefined,
    });
    log.info({ path, script_id: stored.script_id, version: stored.version }, "uploaded");
    counters.file("uploaded");
  }

  /** Lets the script of a file follow it here from a path where it is no more. */
  async #isRenamed(
    root: string,
    file: RenamedFile,
    name: { readonly namespace: string; readonly filename: string },
  ): Promise<boolean> {
    const { catalog, settings, counters, log } = this.deps;
    const { directory } = this;
    if (!settings.watchRenameDirs.includes(directory)) return false;
    for (const from of await findFormerPaths(catalog, file)) {
      if ((await statOf(join(root, from))) !== undefined) continue;
      const hold = { directory, token: this.lease.token };
      if (!(await renameScript(catalog, { hold, from, to: { ...file, ...name } }))) continue;
      log.info({ path: file.path, from }, "renamed");
      counters.file("renamed");
      return true;
    }
    return false;
  }

  /** Two files that stand at once would be versions of one script, each undoing the other. */
  async #refuseTwin(root: string, path: string, other: WatchedFile): Promise<void> {
    const isOwn = other.directory === this.directory;
    if (isOwn && other.path === path) return;
    const place = join(isOwn ? root : other.directory, other.path);
    const standing = await lstat(place).catch(codeOf);
    // One that cannot be looked at is still there.
    if (standing === "ENOENT" || standing === "ENOTDIR") return;
    throw new RefusedError(
      "name_collision",
      `${JSON.stringify(isOwn ? other.path : place)} has the same name in the same namespace as ${JSON.stringify(path)}.`,
    );
  }

  async #saveRefusal(
    { path, code, detail }: Refusal,
    file: Complete | undefined,
    sha256: string | undefined,
  ): Promise<void> {
    const { counters, log } = this.deps;
    // A collision ends without this file's changing, so that it is looked at again.
    const settled = code === "name_collision" ? undefined : sha256;
    const known = file?.known;
    if (known?.refusal?.code === code && known.sha256 === settled && settled === undefined) return;
    await this.#saves.add({
      directory: this.directory,
      path,
      size: file?.stat.size ?? 0n,
      mtimeNs: file?.stat.mtimeNs ?? 0n,
      ino: file?.stat.ino ?? 0n,
      dev: file?.stat.dev,
      sha256: settled,
      scriptId: undefined,
      namespace: undefined,
      filename: undefined,
      refusal: { code, detail },
    });
    counters.file("refused");
    log.warn({ path, code }, "refused");
  }
}

function isKnown(known: WatchedFile | undefined, { size, mtimeNs, ino }: BigIntStats): boolean {
  return (
    known?.sha256 !== undefined &&
    known.size === size &&
    known.mtimeNs === mtimeNs &&
    known.ino === ino
  );
}

/** @returns `undefined` where there is nothing */
async function statOf(
  path: string,
): Promise<BigIntStats | { code: string; detail: string } | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    return ["ENOENT", "ENOTDIR"].includes(codeOf(error)) ? undefined : unreadable(error);
  }
}

/** What says that this process is in trouble, and not the file. */
const OWN_TROUBLES: readonly string[] = ["EMFILE", "ENFILE", "ENOMEM"];

/** @throws what is no trouble of the file's own */
function unreadable(error: unknown): { code: string; detail: string } {
  const code = codeOf(error);
  if (code === "ELOOP") return { code: "symbolic_link", detail: "It has become a symbolic link." };
  if (!/^E[A-Z]+$/.test(code) || OWN_TROUBLES.includes(code)) throw error;
  return { code: "unreadable", detail: `It cannot be read: ${code}.` };
}
