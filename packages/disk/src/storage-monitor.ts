import {
  type Catalog,
  moveStorageState,
  type NewEvent,
  readStorageStates,
  saveSeenStorage,
  type SeenStorage,
  type StoredStorageState,
} from "@sluice/catalog";
import type { EventKind, EventSeverity, StorageState } from "@sluice/contracts";
import type { Logger, Metrics, Settings } from "@sluice/runtime";
import { describeState } from "./describe-state.js";
import { levelsOf, worse } from "./levels.js";
import { OneQuestion } from "./one-question.js";
import { createStorageMetrics } from "./storage-metrics.js";
import { type StoreToWatch, WatchedStore } from "./watched-store.js";

export interface StorageMonitorOptions {
  /** Those that this process sees. */
  readonly stores: readonly StoreToWatch[];
  /** Asked for what others see, and told what this process does. */
  readonly catalog: Catalog;
  readonly settings: Pick<
    Settings,
    "diskLow" | "diskLowUntil" | "diskFull" | "diskFullUntil" | "diskCheckMs"
  >;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** A store as `GET /storage` shows it. */
export interface StorageView {
  readonly name: string;
  readonly state: StorageState;
  readonly since: Date;
  readonly checkedAt: Date;
  /** Nobody has looked for a while. */
  readonly stale: boolean;
  readonly seen: SeenStorage;
}

/** A change of state that the catalog does not know of yet. */
interface Move {
  readonly store: string;
  readonly from: StorageState;
  readonly to: StorageState;
  readonly at: Date;
  readonly event: NewEvent;
}

/** Looks that were missed before a state that others saw holds no longer. */
const MISSED_LOOKS = 6;
/** Changes that are remembered for a catalog that does not answer. */
const MAX_MOVES = 100;

/**
 * Watches the room of the stores: what this process sees itself, and, through the catalog, what others do. All processes that see
 * a store take its state from one to the next in one row, so that each change is told once; while the catalog does not answer, each
 * goes on by itself.
 */
export class StorageMonitor {
  readonly #own: readonly WatchedStore[];
  readonly #observe: (store: WatchedStore) => void;
  readonly #catalog = new OneQuestion("the catalog", () => this.#agree());
  #others: readonly StoredStorageState[] = [];
  #moves: Move[] = [];
  #closedBy: readonly StorageView[] = [];
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(private readonly options: StorageMonitorOptions) {
    const levels = levelsOf(options.settings);
    this.#own = options.stores.map((store) => new WatchedStore(store, levels));
    this.#observe = createStorageMetrics(options.metrics, () => this.#closedBy.length === 0);
  }

  /** Looks for the first time, and again after each pause. */
  async start(): Promise<void> {
    await this.#goOn();
    await this.look();
    const again = (): void => {
      if (this.#stopped) return;
      this.#timer = setTimeout(
        () => void this.look().then(again),
        this.options.settings.diskCheckMs,
      );
    };
    again();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Stores that are full and hold up uploads; what was found by the last look. */
  get closedBy(): readonly StorageView[] {
    return this.#closedBy;
  }

  /** Every store. */
  get stores(): readonly StorageView[] {
    const own = this.#own.map(({ name, state, since, checkedAt, seen }): StorageView => ({
      name,
      state,
      since,
      checkedAt,
      stale: false,
      seen,
    }));
    const others = this.#others.map(({ store, state, since, checkedAt, ageMs, seen }) => ({
      name: store,
      state,
      since,
      checkedAt,
      stale: ageMs > this.options.settings.diskCheckMs * MISSED_LOOKS,
      seen,
    }));
    return [...own, ...others].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Looks at once; whoever asks while that is under way waits for the same look. Never throws. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Takes note that a write to a store found no room: it is full from then on, until a probe finds room again. */
  refused(name: string, error: unknown): void {
    const store = this.#own.find((own) => own.name === name);
    if (store === undefined) return;
    store.refused(error);
    this.#step(store, store.after(store.state));
  }

  async #look(): Promise<void> {
    await Promise.all(
      this.#own.map(async (store) => {
        await store.look();
        this.#step(store, store.after(store.state));
        this.#observe(store);
      }),
    );
    try {
      await this.#catalog.answer();
    } catch (error) {
      this.options.log.warn({ err: error }, "the room of the stores is not told to the catalog");
    }
    this.#decide();
  }

  /** Between two levels it makes a difference in which state a store was before this process began. */
  async #goOn(): Promise<void> {
    const { catalog, log } = this.options;
    const question = new OneQuestion("the catalog", () => readStorageStates(catalog));
    try {
      const rows = await question.answer();
      for (const store of this.#own) {
        const row = rows.find(({ store: name }) => name === store.name);
        if (row !== undefined) store.enter(row.state, row.since);
      }
    } catch (error) {
      log.warn({ err: error }, "the catalog does not tell which stores were full");
    }
  }

  async #agree(): Promise<void> {
    const { catalog, settings } = this.options;
    await saveSeenStorage(catalog, {
      stores: this.#own.map(({ name, since, seen }) => ({ store: name, since, seen })),
      everyMs: settings.diskCheckMs / 2,
    });
    for (let move = this.#moves[0]; move !== undefined; move = this.#moves[0]) {
      // Where another process was quicker, it has told it.
      await moveStorageState(catalog, move);
      this.#moves.shift();
    }
    const rows = await readStorageStates(catalog);
    this.#others = rows.filter(({ store }) => !this.#own.some(({ name }) => name === store));
    for (const store of this.#own) {
      const row = rows.find(({ store: name }) => name === store.name);
      if (row === undefined || row.state === store.state) continue;
      // Between two levels it is what others have seen that decides.
      const agreed = store.after(row.state);
      if (agreed !== row.state) this.#remember(store, row.state, agreed);
      this.#enter(store, agreed, agreed === row.state ? row.since : undefined);
    }
  }

  #step(store: WatchedStore, state: StorageState): void {
    const before = store.state;
    if (!this.#enter(store, state)) return;
    this.#remember(store, before, state);
    this.#decide();
  }

  #remember(store: WatchedStore, from: StorageState, to: StorageState): void {
    if (this.#moves.length >= MAX_MOVES) this.#moves.shift();
    const at = new Date();
    this.#moves.push({ store: store.name, from, to, at, event: eventOf(store, from, to, at) });
  }

  #enter(store: WatchedStore, state: StorageState, since?: Date): boolean {
    if (!store.enter(state, since)) return false;
    const { log } = this.options;
    const facts = { store: store.name, state, ...store.room };
    const message = describeState(store.name, state, store.seen);
    if (state === "full") log.error(facts, message);
    else if (state === "low") log.warn(facts, message);
    else log.info(facts, message);
    this.#observe(store);
    return true;
  }

  #decide(): void {
    this.#closedBy = this.stores.filter(
      ({ state, stale, seen }) => state === "full" && !stale && seen.holdsIntake,
    );
  }
}

const WORSE = {
  low: { kind: "disk.low", severity: "warning" },
  full: { kind: "disk.full", severity: "critical" },
} as const satisfies Record<string, { kind: EventKind; severity: EventSeverity }>;
const BETTER = { kind: "disk.recovered", severity: "info" } as const;

function eventOf(
  { name, seen }: WatchedStore,
  from: StorageState,
  to: StorageState,
  at: Date,
): NewEvent {
  return {
    ...(to === "ok" || worse(from, to) === from ? BETTER : WORSE[to]),
    message: describeState(name, to, seen),
    details: {
      store: name,
      state: to,
      before: from,
      at: at.toISOString(),
      free_bytes: seen.freeBytes ?? null,
      total_bytes: seen.totalBytes ?? null,
      free_inodes: seen.freeInodes ?? null,
      total_inodes: seen.totalInodes ?? null,
    },
  };
}
