import type { ScrubPart } from "@sluice/contracts";
import type { Catalog, Queryable } from "./catalog.js";
import { answerIdempotencyKey } from "./idempotency.js";

/** A pass of the scrub over everything that is stored. */
export interface ScrubPass {
  readonly id: number;
  readonly askedBy: string;
  readonly trusted: boolean;
  readonly startedAt: Date;
  /** Also of one that never came to its end: it is {@link halted} as well then. */
  readonly finishedAt: Date | undefined;
  /** Blobs that there were at its start. */
  readonly total: number;
  readonly position: ScrubPosition;
  readonly counts: ScrubCounts;
  /** For how long janitors have worked on it, in milliseconds. */
  readonly workedMs: number;
  /** Why it does not go on. */
  readonly halted: string | undefined;
}

/** How far a pass has come: after which blob or version of which part. */
export interface ScrubPosition {
  readonly part: ScrubPart;
  readonly after: string;
}

export interface ScrubCounts {
  /** Blobs, and raw uploads that are none yet, that were read. */
  readonly checked: number;
  /** Read from both stores. */
  readonly bytes: number;
  /** Objects in either store. */
  readonly damaged: number;
  readonly missing: number;
  readonly repaired: number;
  readonly unrepairable: number;
  /** Descriptions (`metadata.json`), manifests and packs of the archive that were read. */
  readonly documents: number;
  /** What lies in the stores and is none of their objects. */
  readonly unknown: number;
}

interface PassRow extends ScrubCounts {
  id: number;
  asked_by: string;
  trusted: boolean;
  started_at: Date;
  finished_at: Date | null;
  total: number;
  part: ScrubPart;
  after: string;
  worked_ms: number;
  halted: string | null;
}

const COLUMNS = `id::float8 as id, asked_by, trusted, started_at, finished_at, total::float8 as total, part, after,
  checked::float8 as checked, bytes::float8 as bytes, damaged::float8 as damaged, missing::float8 as missing,
  repaired::float8 as repaired, unrepairable::float8 as unrepairable, documents::float8 as documents,
  unknown::float8 as unknown, worked_ms::float8 as worked_ms, halted`;

/** The newest pass, or the one that is named. */
export async function readScrubPass(db: Queryable, id?: number): Promise<ScrubPass | undefined> {
  const { rows } = await db.query<PassRow>(
    `select ${COLUMNS} from scrub_passes where $1::bigint is null or scrub_passes.id = $1
     order by scrub_passes.id desc limit 1`,
    [id ?? null],
  );
  return rows[0] && toPass(rows[0]);
}

/** The newest pass that has come to its end. */
export async function readFinishedScrubPass(db: Queryable): Promise<ScrubPass | undefined> {
  const { rows } = await db.query<PassRow>(
    `select ${COLUMNS} from scrub_passes where finished_at is not null and halted is null
     order by scrub_passes.id desc limit 1`,
  );
  return rows[0] && toPass(rows[0]);
}

interface NewPass {
  readonly askedBy: string;
  readonly trusted: boolean;
  readonly idempotency?: { readonly key: string; readonly fingerprint: string } | undefined;
}

/** Begins a pass, unless one is under way that has not halted. */
export async function requestScrubPass(
  catalog: Catalog,
  asked: NewPass,
): Promise<{ readonly kind: "begun" | "running"; readonly pass: ScrubPass }> {
  return catalog.transaction(async (tx) => {
    const newest = await lockNewest(tx);
    if (newest !== undefined && newest.finishedAt === undefined && newest.halted === undefined)
      return { kind: "running", pass: newest };
    const pass = await begin(tx, asked);
    if (asked.idempotency !== undefined)
      await answerIdempotencyKey(tx, asked.idempotency, { pass: pass.id });
    return { kind: "begun", pass };
  });
}

/**
 * The pass to go on with: the one that is under way, or a new one where its time has come. By the catalog's clock alone; where that was
 * set back, a pass that seems to have begun in the future holds nothing up.
 *
 * @returns `undefined` where there is nothing to do yet
 */
export async function currentScrubPass(
  catalog: Catalog,
  { everyMs, askedBy }: { everyMs: number; askedBy: string },
): Promise<ScrubPass | undefined> {
  return catalog.transaction(async (tx) => {
    const newest = await lockNewest(tx);
    if (newest !== undefined && newest.finishedAt === undefined) return newest;
    const { rowCount } = await tx.query(
      `select from scrub_passes where id = $1 and started_at <= clock_timestamp()
         and started_at > clock_timestamp() - make_interval(secs => $2)`,
      [newest?.id ?? 0, everyMs / 1_000],
    );
    if (rowCount === 1) return undefined;
    return begin(tx, { askedBy, trusted: false });
  });
}

/** Beginnings take turns; whoever counts does not wait for them. */
async function lockNewest(tx: Queryable): Promise<ScrubPass | undefined> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('scrub_passes', 0))");
  return readScrubPass(tx);
}

/** So many passes are remembered. */
const KEPT = 100;

/** A pass that is under way ends where it is. */
async function begin(tx: Queryable, { askedBy, trusted }: NewPass): Promise<ScrubPass> {
  await tx.query(
    `update scrub_passes set finished_at = clock_timestamp(), halted = coalesce(halted, 'another pass was begun')
     where finished_at is null`,
  );
  const { rows } = await tx.query<PassRow>(
    `insert into scrub_passes (asked_by, trusted, total)
     select $1, $2, count(*) from blobs where state = 'stored' returning ${COLUMNS}`,
    [askedBy, trusted],
  );
  const pass = toPass(rows[0] as PassRow);
  await tx.query("delete from scrub_passes where id <= $1", [pass.id - KEPT]);
  return pass;
}

/**
 * Moves a pass on and adds to what it has counted; it goes on, so that it is not halted.
 *
 * @param to - absent where it has come to its end
 * @returns whether it was where the caller found it, so that this was not counted by somebody else
 */
export async function advanceScrubPass(
  db: Queryable,
  id: number,
  {
    from,
    to,
    counts,
    workedMs,
  }: {
    from: ScrubPosition;
    to: ScrubPosition | undefined;
    counts: Partial<ScrubCounts>;
    workedMs: number;
  },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update scrub_passes set part = coalesce($4, part), after = coalesce($5, after), worked_ms = worked_ms + $6,
       checked = checked + $7, bytes = bytes + $8, damaged = damaged + $9, missing = missing + $10,
       repaired = repaired + $11, unrepairable = unrepairable + $12, documents = documents + $13,
       unknown = unknown + $14, halted = null,
       finished_at = case when $4::text is null then clock_timestamp() end
     where id = $1 and part = $2 and after = $3 and finished_at is null`,
    [
      id,
      from.part,
      from.after,
      to?.part ?? null,
      to?.after ?? null,
      Math.round(workedMs),
      counts.checked ?? 0,
      counts.bytes ?? 0,
      counts.damaged ?? 0,
      counts.missing ?? 0,
      counts.repaired ?? 0,
      counts.unrepairable ?? 0,
      counts.documents ?? 0,
      counts.unknown ?? 0,
    ],
  );
  return rowCount === 1;
}

/** Says why a pass does not go on. @returns whether that is new */
export async function haltScrubPass(db: Queryable, id: number, why: string): Promise<boolean> {
  const { rows } = await db.query<{ new: boolean }>(
    `with before as (select id, halted from scrub_passes where id = $1 and finished_at is null for update)
     update scrub_passes p set halted = $2 from before where p.id = before.id
     returning before.halted is null as new`,
    [id, why],
  );
  return rows[0]?.new === true;
}

function toPass(row: PassRow): ScrubPass {
  const { id, trusted, total, part, after } = row;
  const { checked, bytes, damaged, missing, repaired, unrepairable, documents, unknown } = row;
  return {
    id,
    askedBy: row.asked_by,
    trusted,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    total,
    position: { part, after },
    counts: { checked, bytes, damaged, missing, repaired, unrepairable, documents, unknown },
    workedMs: row.worked_ms,
    halted: row.halted ?? undefined,
  };
}
