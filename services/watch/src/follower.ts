import { lstat, opendir, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  forgetRefusals,
  listRefusedFiles,
  recordEvents,
  type RefusedFile,
  tellDirectory,
} from "@sluice/catalog";
import type { EventKind, WatchState } from "@sluice/contracts";
import { CaseTwins, recordTwins } from "./case-twins.js";
import { Departures } from "./departures.js";
import { DirectoryEvents } from "./directory-events.js";
import { DirectoryLease, LeaseLostError } from "./directory-lease.js";
import { FileIntake, type IntakeDeps, LOOK, type Refusal } from "./file-intake.js";
import { IgnoreRules, PATTERNS_FILE, PatternsError } from "./ignore-rules.js";
import { OwnStores } from "./own-stores.js";
import { codeOf } from "./read-within.js";
import { MAX_REPORTED, writeReport } from "./report.js";
import { WaitError } from "./uploader.js";
import { walk } from "./walk.js";

export interface FollowerDeps extends IntakeDeps {
  readonly signal: AbortSignal;
}

const TICK_MS = 500;
/** Events of one moment are looked at together. */
const GATHER_MS = 20;
const POLL_MS = 5_000;
/** After a round that has failed for no reason of the directory's. */
const RETRY_MS = 5_000;
/** How long a directory is polled before its events are tried again. */
const EVENTS_RETRY_MS = 60_000;
const PAGE = 500;
/** Paths that a scan remembers to have refused. */
const MAX_TOLD = 100_000;

/** What a whole scan keeps to tell in the end. */
class Findings {
  /** Paths of what can be no file. */
  readonly refused = new Set<string>();
  readonly twins = new CaseTwins();
}

/** Uploads what is complete in one directory: as its events come, and by whole scans, since events get lost. */
export class Follower {
  readonly #lease: DirectoryLease;
  readonly #intake: FileIntake;
  readonly #departures: Departures;
  #events: DirectoryEvents | undefined;
  #rules: IgnoreRules | undefined;
  #root: string | undefined;
  #state: WatchState = "starting";
  #error: string | undefined;
  #isHalted = false;
  /** Why it is polled, as the last event of it has said. */
  #failure: string | undefined;
  #scanAt = 0;
  #waitUntil = 0;
  #eventsRetryAt = 0;

  constructor(
    private readonly directory: string,
    private readonly deps: FollowerDeps,
  ) {
    this.#lease = new DirectoryLease(directory, {
      catalog: deps.catalog,
      leaseMs: deps.settings.leaseMs,
      log: deps.log,
      signal: deps.signal,
    });
    this.#intake = new FileIntake(directory, this.#lease, deps);
    this.#departures = new Departures(directory, this.#lease, deps);
  }

  /** Resolves after shutdown. */
  async run(): Promise<void> {
    const { log, counters, signal } = this.deps;
    while (!signal.aborted) {
      let pause = TICK_MS;
      try {
        await this.#round();
      } catch (error) {
        if (error instanceof LeaseLostError) {
          this.#forget();
        } else {
          counters.failed(this.directory);
          log.error({ err: error }, "a round over a watched directory failed");
          pause = RETRY_MS;
        }
      }
      await this.#pause(pause);
    }
    this.#forget();
    await this.#lease
      .release()
      .catch((error: unknown) =>
        log.warn({ err: error }, "a directory was not let go; its lease ends"),
      );
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.deps;
    const over = new AbortController();
    const pause = delay(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) });
    const isFollowed = ms === TICK_MS && performance.now() >= this.#waitUntil;
    await Promise.race([
      pause.catch(() => {}),
      ...(isFollowed && this.#events !== undefined ? [this.#events.some()] : []),
    ]);
    over.abort();
    await delay(GATHER_MS, undefined, { signal }).catch(() => {});
  }

  async #round(): Promise<void> {
    const { settings } = this.deps;
    await this.#lease.take();
    const root = await this.#find();
    if (root === undefined) return;
    if (this.#events === undefined) {
      this.#events = new DirectoryEvents(root);
      this.#eventsRetryAt = performance.now() + EVENTS_RETRY_MS;
      this.#scanAt = 0;
    }
    const begun = performance.now();
    if (begun < this.#waitUntil) return;
    try {
      if (begun >= this.#scanAt || this.#events.takeOverflow()) {
        await this.#scan(root, this.#events);
        const took = performance.now() - begun;
        // Polling takes half of the time at most.
        const poll = Math.max(POLL_MS, took);
        const pause = this.#events.failure === undefined ? settings.watchScanMs : poll;
        this.#scanAt = performance.now() + Math.min(pause, Math.max(settings.watchScanMs, took));
      }
      await this.#attend(root, this.#events);
      if (this.#intake.takePostponed()) this.#scanAt = Math.min(this.#scanAt, begun + POLL_MS);
      if (this.#state === "waiting") await this.#tell("starting", undefined);
      await this.#tellMode(this.#events);
    } catch (error) {
      if (!(error instanceof WaitError || error instanceof PatternsError)) throw error;
      // What was not looked at is found by the scan that comes after the wait.
      this.#scanAt = 0;
      this.#waitUntil = performance.now() + (error instanceof WaitError ? error.waitMs : RETRY_MS);
      await this.#tell("waiting", error.message);
    }
  }

  #forget(): void {
    this.#events?.close();
    this.#events = undefined;
    this.#intake.forget();
    this.#root = undefined;
  }

  /** The directory's real path; `undefined` where it is gone. Another directory in its place is watched anew. */
  async #find(): Promise<string | undefined> {
    try {
      const root = await realpath(this.directory);
      const { dev, ino } = await stat(root, { bigint: true });
      // One that exists may still not be read.
      await (await opendir(root)).close();
      const identity = `${root}\0${dev}\0${ino}`;
      if (this.#root !== identity) {
        if ((await OwnStores.find(this.deps.settings)).hold(root)) {
          await this.#miss(`${this.directory} is in a store of Sluice's own.`);
          return undefined;
        }
        if (this.#root !== undefined) this.#forget();
        this.#root = identity;
      }
      if (this.#state === "missing") {
        await this.#record("watch.found", `${this.directory} is there again.`);
        await this.#tell("starting", undefined);
      }
      return root;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      await this.#miss(`${this.directory} cannot be read: ${codeOf(error)}.`);
      return undefined;
    }
  }

  async #miss(message: string): Promise<void> {
    this.#forget();
    if (this.#state === "missing") return;
    await this.#record("watch.missing", message);
    await this.#tell("missing", message);
  }

  async #tellMode({ failure }: DirectoryEvents): Promise<void> {
    const { brake } = this.#departures;
    if (brake !== undefined && !this.#isHalted) {
      await this.#record("watch.deletions_halted", `${this.directory}: ${brake}.`);
    }
    this.#isHalted = brake !== undefined;
    const isNews = failure !== this.#failure;
    this.#failure = failure;
    if (failure === undefined) return this.#tell("following", brake);
    if (isNews) {
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

  async #scan(root: string, events: DirectoryEvents): Promise<void> {
    const { catalog, counters, settings, log } = this.deps;
    if (events.failure !== undefined && performance.now() >= this.#eventsRetryAt) {
      this.#eventsRetryAt = performance.now() + EVENTS_RETRY_MS;
      events.retry();
    }
    this.#rules = await IgnoreRules.read(root, settings.watchIgnore);
    events.beginScan();
    const findings = new Findings();
    const files = await this.#walk(root, events, this.#rules, "", findings);
    events.endScan();
    await this.#departures.review(root);
    const refused = await this.#reviewRefusals(root, this.#rules, findings.refused);
    await recordTwins(catalog, this.directory, findings.twins);
    if (settings.watchReport) {
      await writeReport(root, refused, findings.twins.list()).catch((error: unknown) =>
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

  /**
   * Looks at everything below a folder.
   *
   * @param findings - of a whole scan
   * @returns how much there is
   */
  async #walk(
    root: string,
    events: DirectoryEvents,
    rules: IgnoreRules,
    below: string,
    findings?: Findings,
  ): Promise<number> {
    let count = 0;
    let files: string[] = [];
    let refused: Refusal[] = [];
    const look = async (): Promise<void> => {
      const [paths, refusals] = [files, refused];
      [files, refused] = [[], []];
      await this.#intake.look(root, paths);
      await this.#intake.refuse(refusals);
    };
    const onFolder = events.watchFolder.bind(events);
    const own = await OwnStores.find(this.deps.settings);
    for await (const found of walk({ root, rules, onFolder, own, twins: findings?.twins }, below)) {
      count += 1;
      if (found.kind === "file") files.push(found.path);
      else {
        refused.push(found);
        if (findings !== undefined && findings.refused.size < MAX_TOLD)
          findings.refused.add(found.path);
      }
      if (files.length + refused.length < LOOK) continue;
      await look();
      // A first scan takes long; what happens meanwhile is not kept waiting, nor are those that have settled.
      do {
        if (below === "") await this.#attend(root, events);
        else await this.#settle(root);
        if (this.#intake.isFull) await delay(TICK_MS);
      } while (this.#intake.isFull);
    }
    await look();
    return count;
  }

  /** Looks at what events have come for, and at what has been waited for long enough. */
  async #attend(root: string, events: DirectoryEvents): Promise<void> {
    const rules = this.#rules;
    if (rules === undefined) return;
    const of = events.take();
    for (const path of of.keys()) {
      if (basename(path) !== PATTERNS_FILE) continue;
      this.#scanAt = 0;
      const folder = path.slice(0, -PATTERNS_FILE.length - 1);
      // The scan tells what is wrong with it.
      await rules.enter(folder).catch(() => {});
    }
    const paths = [...of.keys()].filter((path) => path !== "" && !rules.ignores(path));
    for (let at = 0; at < paths.length; at += LOOK) {
      const chunk = paths.slice(at, at + LOOK);
      for (const folder of await this.#intake.look(root, chunk, { of, source: events })) {
        if (!rules.ignores(`${folder}/`)) await this.#walk(root, events, rules, folder);
      }
    }
    await this.#settle(root);
  }

  async #settle(root: string): Promise<void> {
    this.#lease.check();
    const due = this.#intake.due().filter((path) => this.#rules?.ignores(path) === false);
    for (let at = 0; at < due.length; at += LOOK) {
      await this.#intake.look(root, due.slice(at, at + LOOK));
    }
  }

  /**
   * Forgets the refusals of what is gone, ignored or no trouble by now.
   *
   * @param told - what the scan has refused
   * @returns the first of the others
   */
  async #reviewRefusals(
    root: string,
    rules: IgnoreRules,
    told: ReadonlySet<string>,
  ): Promise<readonly RefusedFile[]> {
    const { catalog } = this.deps;
    const { directory } = this;
    const standing: RefusedFile[] = [];
    let after: readonly [string, string] | undefined;
    do {
      this.#lease.check();
      const page = await listRefusedFiles(catalog, { directory, after, limit: PAGE });
      const gone: string[] = [];
      for (const refused of page.items) {
        const isGone =
          rules.ignores(refused.path) ||
          (!told.has(refused.path) &&
            told.size < MAX_TOLD &&
            !(await isFile(join(root, refused.path))));
        if (isGone) gone.push(refused.path);
        else if (standing.length < MAX_REPORTED) standing.push(refused);
      }
      await forgetRefusals(catalog, { directory, paths: gone });
      after = page.next;
    } while (after !== undefined);
    return standing;
  }
}

/** What is a file is looked at as one, and its refusal ends when it is taken. One that cannot be looked at may be one. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    return !["ENOENT", "ENOTDIR"].includes(codeOf(error));
  }
}
