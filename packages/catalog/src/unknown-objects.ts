import { createHash } from "node:crypto";
import type { Catalog, Queryable } from "./catalog.js";
import { recordEvents } from "./events.js";

/** The two stores. */
export type StoreName = "objects" | "backup";

/** Something that lies in a store and is none of its objects. */
export interface UnknownObject {
  /** Any text, as the store has it. */
  readonly name: string;
  /** What is wrong with it, to go on after its name. */
  readonly what: string;
  /** In bytes; `undefined` where it is no object at all. */
  readonly size: number | undefined;
}

export type FoundUnknownObject = UnknownObject & {
  readonly store: StoreName;
  readonly foundAt: Date;
};

/** So many of a store are remembered: whoever pours a million files into one is told that much. */
const MOST = 10_000;
/** How many an event names. */
const NAMED = 20;
/** Names of objects and files have at most a few hundred characters, hostile ones more. */
const NAME_LENGTH = 1_000;

/** Remembers what a pass has found lying in a store, and tells of it what no pass before has found there. */
export async function recordUnknownObjects(
  catalog: Catalog,
  { store, pass }: { store: StoreName; pass: number },
  found: readonly UnknownObject[],
): Promise<void> {
  if (found.length === 0) return;
  await catalog.transaction(async (tx) => {
    const { rows: counted } = await tx.query<{ count: number }>(
      "select count(*)::int as count from unknown_objects where store = $1",
      [store],
    );
    const room = Math.max(0, MOST - (counted[0]?.count ?? 0));
    const { rows } = await tx.query<{ name: string }>(
      `with found as (
         select * from unnest($3::text[], $4::text[], $5::text[], $6::bigint[])
           as found (name_hash, name, what, size)
       ), seen as (
         update unknown_objects u set pass = $2, what = found.what, size = found.size from found
         where u.store = $1 and u.name_hash = found.name_hash returning u.name_hash
       )
       insert into unknown_objects (store, name_hash, name, what, size, pass)
       select $1, name_hash, name, what, size, $2 from found
       where name_hash not in (select name_hash from seen) limit $7
       on conflict (store, name_hash) do nothing returning name`,
      [
        store,
        pass,
        found.map(({ name }) => createHash("sha256").update(name).digest("hex")),
        found.map(({ name }) => presentable(name)),
        found.map(({ what }) => what),
        found.map(({ size }) => size ?? null),
        room,
      ],
    );
    if (rows.length === 0) return;
    const names = rows.map(({ name }) => name);
    const more = rows.length === room ? " There may be more: so many are remembered." : "";
    await recordEvents(tx, [
      {
        severity: "warning",
        kind: "object.unknown",
        message: `${count(rows.length)} in the ${STORES[store]} and not Sluice's: ${names.slice(0, 3).join(", ")}${rows.length > 3 ? ", …" : ""}.${more}`,
        details: { store, objects: rows.length, names: names.slice(0, NAMED) },
      },
    ]);
  });
}

const STORES: Readonly<Record<StoreName, string>> = {
  objects: "object store",
  backup: "backup store",
};

function count(found: number): string {
  return found === 1 ? "1 object lies" : `${found} objects lie`;
}

/** PostgreSQL's text takes neither NUL nor half a surrogate pair. */
function presentable(name: string): string {
  return name.slice(0, NAME_LENGTH).toWellFormed().replaceAll("\0", "\u{fffd}");
}

/** Of these hashes, those of bytes that nothing has or had until just now: a copy of them is nobody's. */
export async function listNobodysBytes(
  db: Queryable,
  sha256s: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ sha256: string }>(
    `select sha256 from unnest($1::text[]) as named (sha256)
     where not exists (select from versions v where v.sha256 = named.sha256)
       and not exists (select from blobs b where b.sha256 = named.sha256 and b.state <> 'deleted')
       and not exists (select from unreferenced_blobs u where u.sha256 = named.sha256)
       and not exists (select from early_copies e where e.sha256 = named.sha256)`,
    [sha256s],
  );
  return new Set(rows.map(({ sha256 }) => sha256));
}

/** Of these keys of manifests, those of versions that there are, or that are being purged. */
export async function neededManifests(
  db: Queryable,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ key: string }>(
    `select key from unnest($1::text[]) as named (key)
     where exists (select from versions v
         where v.script_id = substring(named.key from '/([0-9a-f-]{36})/')::uuid
           and v.number = substring(named.key from '/v([0-9]{1,9})[.]json$')::integer)
       or exists (select from purged_objects o where o.store = 'backup' and o.key = named.key)`,
    [keys],
  );
  return new Set(rows.map(({ key }) => key));
}

/** Forgets what a pass that has seen all of a store did not find there: it is told anew where it comes again. */
export async function forgetUnknownObjects(
  db: Queryable,
  { store, pass }: { store: StoreName; pass: number },
): Promise<void> {
  await db.query("delete from unknown_objects where store = $1 and pass <> $2", [store, pass]);
}

/** What lies in the stores, the newest first, and how much that is in all. */
export async function listUnknownObjects(
  db: Queryable,
  limit: number,
): Promise<{ readonly count: number; readonly items: readonly FoundUnknownObject[] }> {
  const { rows } = await db.query<{
    store: StoreName;
    name: string;
    what: string;
    size: number | null;
    found_at: Date;
    count: number;
  }>(
    `select store, name, what, size::float8 as size, found_at, count(*) over ()::int as count
     from unknown_objects order by found_at desc, store, name_hash limit $1`,
    [limit],
  );
  return {
    count: rows[0]?.count ?? 0,
    items: rows.map(({ store, name, what, size, found_at: foundAt }) => ({
      store,
      name,
      what,
      size: size ?? undefined,
      foundAt,
    })),
  };
}
