import type { Queryable } from "./catalog.js";

/** A pass of the scrub over everything that is stored. */
export interface ScrubPass {
  readonly id: number;
  readonly askedBy: string;
  readonly trusted: boolean;
  readonly startedAt: Date;
  readonly finishedAt: Date | undefined;
  /** Blobs that there were at its start. */
  readonly total: number;
  readonly counts: ScrubCounts;
  /** Why it does not go on. */
  readonly halted: string | undefined;
}

export interface ScrubCounts {
  /** Blobs that were read. */
  readonly checked: number;
  /** Read from both stores. */
  readonly bytes: number;
  /** Blobs and copies. */
  readonly damaged: number;
  readonly missing: number;
  readonly repaired: number;
  readonly unrepairable: number;
}

interface PassRow extends ScrubCounts {
  id: number;
  asked_by: string;
  trusted: boolean;
  started_at: Date;
  finished_at: Date | null;
  total: number;
  halted: string | null;
}

const COLUMNS = `id::float8 as id, asked_by, trusted, started_at, finished_at, total::float8 as total,
  checked::float8 as checked, bytes::float8 as bytes, damaged::float8 as damaged, missing::float8 as missing,
  repaired::float8 as repaired, unrepairable::float8 as unrepairable, halted`;

/** The newest pass. */
export async function readScrubPass(db: Queryable): Promise<ScrubPass | undefined> {
  const { rows } = await db.query<PassRow>(
    `select ${COLUMNS} from scrub_passes order by scrub_passes.id desc limit 1`,
  );
  return rows[0] && toPass(rows[0]);
}

/** Begins a pass; one that is under way is left where it is. */
export async function beginScrubPass(
  db: Queryable,
  { askedBy, trusted }: { askedBy: string; trusted: boolean },
): Promise<ScrubPass> {
  const { rows } = await db.query<PassRow>(
    `insert into scrub_passes (asked_by, trusted, total)
     select $1, $2, count(*) from blobs where state = 'stored' returning ${COLUMNS}`,
    [askedBy, trusted],
  );
  return toPass(rows[0] as PassRow);
}

/** Adds to what a pass has counted; it goes on, so that it is not halted. */
export async function countScrubbed(db: Queryable, id: number, counts: ScrubCounts): Promise<void> {
  await db.query(
    `update scrub_passes set checked = checked + $2, bytes = bytes + $3, damaged = damaged + $4,
       missing = missing + $5, repaired = repaired + $6, unrepairable = unrepairable + $7, halted = null
     where id = $1`,
    [
      id,
      counts.checked,
      counts.bytes,
      counts.damaged,
      counts.missing,
      counts.repaired,
      counts.unrepairable,
    ],
  );
}

/** Says why a pass does not go on. @returns whether that is new */
export async function haltScrubPass(db: Queryable, id: number, why: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `with before as (select id, halted from scrub_passes where id = $1 for update)
     update scrub_passes p set halted = $2 from before where p.id = before.id and before.halted is null`,
    [id, why],
  );
  await db.query("update scrub_passes set halted = $2 where id = $1", [id, why]);
  return rowCount === 1;
}

export async function finishScrubPass(db: Queryable, id: number): Promise<void> {
  await db.query(
    "update scrub_passes set finished_at = clock_timestamp(), halted = null where id = $1",
    [id],
  );
}

function toPass(row: PassRow): ScrubPass {
  const { id, trusted, total, checked, bytes, damaged, missing, repaired, unrepairable } = row;
  return {
    id,
    askedBy: row.asked_by,
    trusted,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    total,
    counts: { checked, bytes, damaged, missing, repaired, unrepairable },
    halted: row.halted ?? undefined,
  };
}
