import { createHash, randomUUID } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Catalog,
  findWatchedFile,
  findWatchedNames,
  forgetRefusals,
  holdDirectory,
  listRefusedFiles,
  recordEvents,
  type RefusedFile,
  releaseDirectory,
  saveWatchedFile,
  tellDirectory,
  type WatchedFile,
} from "@sluice/catalog";
import {
  DEFAULT_NAMESPACE,
  type EventKind,
  MAX_FILE_BYTES,
  type WatchState,
} from "@sluice/contracts";
import type { Logger, ServiceSettings } from "@sluice/runtime";
import ignore, { type Ignore } from "ignore";
import { DirectoryEvents } from "./directory-events.js";
import { ChangedError, isSame, readWithin, RefusedError } from "./read-within.js";
import { MAX_REPORTED, OWN_FILES, writeReport } from "./report.js";
import { type Uploader, WaitError } from "./uploader.js";
import { codeOf, walk } from "./walk.js";
import type { WatchMetrics } from "./watch-metrics.js";

export interface FollowerDeps {
  readonly catalog: Catalog;
  readonly uploader: Uploader;
  readonly settings: ServiceSettings;
  readonly counters: WatchMetrics;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const TICK_MS = 500;
const POLL_MS = 5_000;
const PATTERNS_FILE = ".sluiceignore";
const MAX_PATTERNS_BYTES = 65_536;
const PAGE = 500;

/** Uploads what is complete in one directory: as its events come, and by whole scans, since events get lost. */
export class Follower {
  readonly #token = randomUUID();
  /** Files that were seen and not yet left alone for long enough, with when that state was seen first. */
  readonly #settling = new Map<string, { readonly stat: BigIntStats; readonly since: number }>();
  #events: DirectoryEvents | undefined;
  #ignored: Ignore = ignore();
  #root: string | undefined;
  #state: WatchState = "starting";
  #error: string | undefined;
  #scanAt = 0;
  #waitUntil = 0;
  #heldUntil = 0;

  constructor(
    private readonly directory: string,
    private readonly deps: FollowerDeps,
  ) {}

  /** Resolves after shutdown. */
  async run(): Promise<void> {
    const { log, counters, signal, catalog } = this.deps;
    while (!signal.aborted) {
      try {
        await this.#round();
      } catch (error) {
        if (!(error instanceof LeaseLostError)) {
          counters.failed(this.directory);
          log.error({ err: error }, "a round over a watched directory failed");
        }
      }
      await delay(TICK_MS, undefined, { signal }).catch(() => {});
    }
    await this.#events?.close();
    await releaseDirectory(catalog, { directory: this.directory, token: this.#token }).catch(
      (error: unknown) => log.warn({ err: error }, "a directory was not let go; its lease ends"),
    );
  }

  async #round(): Promise<void> {
    const { settings, signal } = this.deps;
    await this.#hold();
    const root = await this.#find();
    if (root === undefined) return;
    if (this.#events === undefined) {
      this.#ignored = await this.#patterns(root);
      this.#events = new DirectoryEvents(root, (path) => this.#ignored.ignores(path));
      await this.#events.ready(signal);
      this.#scanAt = 0;
    }
    await this.#tellMode(this.#events);
    const now = performance.now();
    if (now < this.#waitUntil) return;
    try {
      if (now >= this.#scanAt) {
        await this.#scan(root);
        const pause = this.#events.failure === undefined ? settings.watchScanMs : POLL_MS;
        this.#scanAt = performance.now() + Math.min(pause, settings.watchScanMs);
      }
      for (const path of new Set([...this.#events.take(), ...this.#settling.keys()])) {
        await this.#look(root, path);
      }
      if (this.#state === "waiting") await this.#tell("starting", undefined);
    } catch (error) {
      if (!(error instanceof WaitError)) throw error;
      // What was not looked at is found by the scan that comes after the wait.
      this.#scanAt = 0;
      this.#waitUntil = performance.now() + error.waitMs;
      await this.#tell("waiting", error.message);
    }
  }

  async #hold(): Promise<void> {
    const { catalog, settings, signal } = this.deps;
    const now = performance.now();
    if (signal.aborted) throw new LeaseLostError();
    if (now < this.#heldUntil - settings.leaseMs / 2) return;
    const held = await holdDirectory(catalog, {
      directory: this.directory,
      token: this.#token,
      leaseMs: settings.leaseMs,
    });
    if (held) {
      this.#heldUntil = now + settings.leaseMs;
      return;
    }
    this.#heldUntil = 0;
    await this.#forget();
    throw new LeaseLostError();
  }

  async #forget(): Promise<void> {
    await this.#events?.close();
    this.#events = undefined;
    this.#settling.clear();
    this.#root = undefined;
  }

  /** The directory's real path; `undefined` where it is gone. Another directory in its place is watched anew. */
  async #find(): Promise<string | undefined> {
    try {
      const root = await realpath(this.directory);
      const { dev, ino } = await stat(root, { bigint: true });
      const identity = `${root}\0${dev}\0${ino}`;
      if (this.#root !== undefined && this.#root !== identity) await this.#forget();
      this.#root = identity;
      if (this.#state === "missing") {
        await this.#record("watch.found", `${this.directory} is there again.`);
        await this.#tell("starting", undefined);
      }
      return root;
    } catch (error) {
      await this.#forget();
      if (this.#state !== "missing") {
        const message = `${this.directory} cannot be read: ${codeOf(error)}.`;
        await this.#record("watch.missing", message);
        await this.#tell("missing", message);
      }
      return undefined;
    }
  }

  async #tellMode({ failure }: DirectoryEvents): Promise<void> {
    if (this.#state === "waiting") return;
    if (failure === undefined) return this.#tell("following", undefined);
    if (this.#state !== "polling") {
      this.deps.counters.failed(this.directory);
      await this.#record(
        "watch.polling",
        `${this.directory} is scanned every ${POLL_MS / 1_000} s, because its events cannot be had: ${failure}`,
      );
    }
    return this.#tell("polling", failure);
  }

  async #tell(state: WatchState, error: string | undefined): Promise<void> {
    if (this.#state === state && this.#error === error) return;
    const { catalog, log, counters } = this.deps;
    await tellDirectory(catalog, { directory: this.directory, state, error });
    this.#state = state;
    this.#error = error;
    counters.polls(this.directory, state === "polling");
    if (error === undefined) log.info({ state }, "a watched directory");
    else log.warn({ state, reason: error }, "a watched directory");
  }

  async #record(kind: EventKind, message: string): Promise<void> {
    const severity = kind === "watch.found" ? "info" : "warning";
    await recordEvents(this.deps.catalog, [
      { severity, kind, message, details: { directory: this.directory } },
    ]);
  }

  async #scan(root: string): Promise<void> {
    const { catalog, counters, settings, log } = this.deps;
    this.#ignored = await this.#patterns(root);
    let files = 0;
    for await (const found of walk(root, this.#ignored)) {
      files += 1;
      if (found.kind === "file") await this.#look(root, found.path);
      else await this.#refuse(found.path, undefined, found);
    }
    const refused = await this.#reviewRefusals(root);
    if (settings.watchReport) {
      await writeReport(root, refused).catch((error: unknown) =>
        log.warn({ err: error }, "the report of what was refused cannot be written"),
      );
    }
    await tellDirectory(catalog, {
      directory: this.directory,
      state: this.#state,
      error: this.#error,
      files,
    });
    counters.scanned(this.directory, files);
  }

  async #patterns(root: string): Promise<Ignore> {
    const patterns = ignore().add([...this.deps.settings.watchIgnore]);
    try {
      patterns.add((await readWithin(root, PATTERNS_FILE, MAX_PATTERNS_BYTES)).toString());
    } catch (error) {
      if (codeOf(error) !== "ENOENT") {
        // Without its patterns, files would be uploaded that nobody wants to be.
        throw new Error(`${PATTERNS_FILE} cannot be read`, { cause: error });
      }
    }
    return patterns.add(OWN_FILES);
  }

  /** Looks at one file, and uploads it where it is complete and not known. */
  async #look(root: string, path: string): Promise<void> {
    const { catalog, counters, settings } = this.deps;
    await this.#hold();
    if (path === "" || this.#ignored.ignores(path)) return;
    const found = await lstat(join(root, path), { bigint: true }).catch((error: unknown) => {
      if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
      return unreadable(error);
    });
    if (found !== undefined && "code" in found) return this.#refuse(path, undefined, found);
    if (found === undefined || !found.isFile()) {
      this.#settling.delete(path);
      return;
    }
    const { size, mtimeNs, ino } = found;
    const known = await findWatchedFile(catalog, { directory: this.directory, path });
    if (
      known?.sha256 !== undefined &&
      known.size === size &&
      known.mtimeNs === mtimeNs &&
      known.ino === ino
    ) {
      this.#settling.delete(path);
      counters.file("unchanged");
      return;
    }
    const seen = this.#settling.get(path);
    const now = performance.now();
    if (seen === undefined || !isSame(seen.stat, found)) {
      this.#settling.set(path, { stat: found, since: now });
      return;
    }
    if (now - seen.since < settings.watchSettleMs) return;
    try {
      const bytes = await readWithin(root, path, MAX_FILE_BYTES, found);
      await this.#store(root, path, found, bytes, known);
      this.#settling.delete(path);
    } catch (error) {
      if (error instanceof WaitError) throw error;
      this.#settling.delete(path);
      if (error instanceof ChangedError || codeOf(error) === "ENOENT") return;
      const { code, detail } =
        error instanceof RefusedError
          ? { code: error.code, detail: error.message }
          : unreadable(error);
      await this.#refuse(path, found, { code, detail });
    }
  }

  async #store(
    root: string,
    path: string,
    { size, mtimeNs, ino }: BigIntStats,
    bytes: Buffer,
    known: WatchedFile | undefined,
  ): Promise<void> {
    const { catalog, uploader, settings, counters, log } = this.deps;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const folder = dirname(path).normalize("NFC");
    const namespace = settings.watchNamespaces && folder !== "." ? folder : DEFAULT_NAMESPACE;
    const filename = basename(path).normalize("NFC");
    const file = { directory: this.directory, path, size, mtimeNs, ino, sha256 };
    if (known?.sha256 === sha256 && known.refusal === undefined && known.namespace === namespace) {
      await saveWatchedFile(catalog, { ...known, ...file });
      counters.file("unchanged");
      return;
    }
    try {
      for (const other of await findWatchedNames(catalog, { ...file, namespace, filename })) {
        await this.#refuseTwin(root, path, other);
      }
      const identity = JSON.stringify([
        this.directory,
        path,
        namespace,
        sha256,
        `${mtimeNs}.${ino}`,
      ]);
      const stored = await uploader.upload({ identity, namespace, filename, bytes });
      await saveWatchedFile(catalog, {
        ...file,
        scriptId: stored.script_id,
        namespace,
        filename,
        refusal: undefined,
      });
      log.info({ path, script_id: stored.script_id, version: stored.version }, "uploaded");
      counters.file("uploaded");
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      await this.#refuse(
        path,
        { size, mtimeNs, ino },
        { code: error.code, detail: error.message },
        sha256,
      );
    }
  }

  /** Two files that stand at once would be versions of one script, each undoing the other. */
  async #refuseTwin(root: string, path: string, other: WatchedFile): Promise<void> {
    const place = join(other.directory === this.directory ? root : other.directory, other.path);
    const standing = await lstat(place).catch(codeOf);
    // One that cannot be looked at is still there.
    if (standing === "ENOENT" || standing === "ENOTDIR") return;
    throw new RefusedError(
      "name_collision",
      `${JSON.stringify(relative(root, place))} has the same name in the same namespace as ${JSON.stringify(path)}.`,
    );
  }

  async #refuse(
    path: string,
    found: Pick<BigIntStats, "size" | "mtimeNs" | "ino"> | undefined,
    { code, detail }: { code: string; detail: string },
    sha256?: string,
  ): Promise<void> {
    const { catalog, counters, log } = this.deps;
    await this.#hold();
    // A collision ends without this file's changing, so that it is looked at again.
    const settled = code === "name_collision" ? undefined : sha256;
    const known = await findWatchedFile(catalog, { directory: this.directory, path });
    if (known?.refusal?.code === code && known.sha256 === settled && settled === undefined) return;
    await saveWatchedFile(catalog, {
      directory: this.directory,
      path,
      size: found?.size ?? 0n,
      mtimeNs: found?.mtimeNs ?? 0n,
      ino: found?.ino ?? 0n,
      sha256: settled,
      scriptId: undefined,
      namespace: undefined,
      filename: undefined,
      refusal: { code, detail },
    });
    counters.file("refused");
    log.warn({ path, code }, "refused");
  }

  /** Forgets the refusals of what is gone or ignored by now. @returns the first of the others */
  async #reviewRefusals(root: string): Promise<readonly RefusedFile[]> {
    const { catalog } = this.deps;
    const { directory } = this;
    const standing: RefusedFile[] = [];
    let after: readonly [string, string] | undefined;
    do {
      await this.#hold();
      const page = await listRefusedFiles(catalog, { directory, after, limit: PAGE });
      const gone: string[] = [];
      for (const refused of page.items) {
        // Names that are not UTF-8 cannot be looked up by their text.
        const isGone =
          this.#ignored.ignores(refused.path) ||
          (refused.code !== "malformed_name" &&
            (await lstat(join(root, refused.path)).catch(codeOf)) === "ENOENT");
        if (isGone) gone.push(refused.path);
        else if (standing.length < MAX_REPORTED) standing.push(refused);
      }
      await forgetRefusals(catalog, { directory, paths: gone });
      after = page.next;
    } while (after !== undefined);
    return standing;
  }
}

/** Another process has the directory, or this one is to stop. */
class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** @throws what is no trouble of the file's own */
function unreadable(error: unknown): { code: string; detail: string } {
  const code = codeOf(error);
  if (code === "ELOOP") return { code: "symbolic_link", detail: "It has become a symbolic link." };
  if (!["EACCES", "EPERM", "EIO", "ENXIO", "ENODEV"].includes(code)) throw error;
  return { code: "unreadable", detail: `It cannot be read: ${code}.` };
}
