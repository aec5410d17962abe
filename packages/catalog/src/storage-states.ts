import type { StorageState, StorageSteps } from "@sluice/contracts";
import type { Catalog, Queryable } from "./catalog.js";
import { type NewEvent, recordEvents } from "./events.js";

/** What was seen of a store. Sizes are `undefined` where the store does not tell them, as over S3. */
export interface SeenStorage {
  /** What it is, without credentials. */
  readonly description: string;
  /** Uploads are refused while it is full. */
  readonly holdsIntake: boolean;
  readonly freeBytes?: number | undefined;
  readonly totalBytes?: number | undefined;
  readonly freeInodes?: number | undefined;
  readonly totalInodes?: number | undefined;
  readonly thresholds?: { readonly bytes: StorageSteps; readonly inodes: StorageSteps } | undefined;
  /** What was said where a write found no room. */
  readonly refusal?: string | undefined;
  /** Why it could not be looked at. */
  readonly error?: string | undefined;
}

/** A store's state, the same for all processes. */
export interface StoredStorageState {
  readonly store: string;
  readonly state: StorageState;
  readonly since: Date;
  readonly checkedAt: Date;
  /** How long ago that was by the catalog's clock, in milliseconds. */
  readonly ageMs: number;
  readonly seen: SeenStorage;
}

/** Every store that was looked at within the last day, by name. */
export async function readStorageStates(db: Queryable): Promise<readonly StoredStorageState[]> {
  const { rows } = await db.query<{
    store: string;
    state: StorageState;
    since: Date;
    checked_at: Date;
    age: number;
    seen: SeenStorage;
  }>(
    `select store, state, since, checked_at, seen,
       (extract(epoch from now() - checked_at) * 1000)::float8 as age
     from storage_states where checked_at > now() - interval '1 day' order by store`,
  );
  return rows.map(({ store, state, since, checked_at: checkedAt, age, seen }) => ({
    store,
    state,
    since,
    checkedAt,
    ageMs: age,
    seen,
  }));
}

/**
 * Moves a store from one state to another, and tells it; nothing where somebody else was quicker, so that it is in yet another one, or
 * has been moved since.
 *
 * @param at - when it was seen, which may be a while ago
 * @returns whether it was moved
 */
export function moveStorageState(
  catalog: Catalog,
  {
    store,
    from,
    to,
    at,
    event,
  }: { store: string; from: StorageState; to: StorageState; at: Date; event: NewEvent },
): Promise<boolean> {
  return catalog.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      // A time to come was set by a clock that was wrong.
      `update storage_states set state = $3, since = least($4, now())
       where store = $1 and state = $2 and (since <= $4 or since > now())`,
      [store, from, to, at],
    );
    if (rowCount !== 1) return false;
    await recordEvents(tx, [event]);
    return true;
  });
}

/** Says what was seen of stores; those that were looked at within the last `everyMs` are left alone. */
export async function saveSeenStorage(
  db: Queryable,
  {
    stores,
    everyMs,
  }: {
    stores: readonly { store: string; since: Date; seen: SeenStorage }[];
    everyMs: number;
  },
): Promise<void> {
  await db.query(
    // One that is new was in the first state before it was looked at.
    `insert into storage_states as s (store, since, seen)
     select item ->> 'store', least((item ->> 'since')::timestamptz, now()), item -> 'seen'
     from json_array_elements($1::json) as items (item) order by 1
     on conflict (store) do update set seen = excluded.seen, checked_at = now()
       where s.checked_at < now() - $2 * interval '1 ms'`,
    [JSON.stringify(stores), everyMs],
  );
}

/** Bytes that must fit for a catalog that was full to count as one with room. */
const PROBE_BYTES = 1024 * 1024;

/**
 * Writes a table that is gone with its transaction.
 *
 * @throws where PostgreSQL has no room for it, or does not answer
 */
export async function probeCatalogRoom(catalog: Catalog): Promise<void> {
  await catalog.transaction((tx) =>
    tx.query(
      `create temporary table sluice_probe on commit drop as
       select repeat(md5(line::text), 32) as bytes from generate_series(1, $1::int / 1024) line`,
      [PROBE_BYTES],
    ),
  );
}
