import { manifestKey } from "@sluice/backup";
import { type Catalog, type Queryable, recordAudit } from "@sluice/catalog";
import type { BlobEncoding } from "@sluice/object-store";
import pg from "pg";
import { loadRows } from "./load.js";
import { NameTakenError } from "./name-taken.js";
import type { ExportedRow, ScriptRows } from "./script-rows.js";
import { type ExportedTable, readTables } from "./tables.js";

/** Bytes that have been put for a version that is about to be inserted. */
export interface PutBlob {
  readonly sha256: string;
  readonly size: number;
  readonly key: string;
  readonly length: number;
  readonly encoding: BlobEncoding;
  readonly backupKey: string;
  /** By the database's clock, before they were put. */
  readonly startedAt: string;
}

/** Somebody deletes, or has just deleted, the bytes that were put: they are to be put again. */
export class BytesGoingError extends Error {
  override readonly name = "BytesGoingError";
  constructor(sha256: string) {
    super(`the bytes of ${sha256} are being deleted at this very moment: try again`);
  }
}

export interface Insertion {
  readonly catalog: Catalog;
  readonly scriptId: string;
  readonly filename: string | undefined;
  readonly actor: string;
}

/** What is inserted, and of which export it is. */
export interface Inserted {
  readonly id: string;
  readonly createdAt: string;
  /** The columns that the export has of each table. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
  /** Rows of versions that are gone. */
  readonly missing: readonly ExportedRow[];
  readonly blobs: readonly PutBlob[];
}

/**
 * Inserts a script's rows that are gone, in one transaction: versions that were over as they were, to be judged by the policy in force,
 * as after an undelete; those that were under way begin anew. Decisions, user metadata and its history come with the script's own row.
 *
 * @throws {@link BytesGoingError}; `NameTakenError`
 */
export async function insertScript(
  { catalog, scriptId, filename, actor }: Insertion,
  rows: ScriptRows,
  { id, createdAt, columns, missing, blobs }: Inserted,
): Promise<void> {
  const script = rows.of("scripts")[0];
  if (script === undefined) throw new Error(`no rows of ${scriptId}`);
  const name = filename ?? script["filename"] ?? "";
  try {
    await catalog.transaction(async (tx) => {
      // Exclusive: nobody else brings the same script back, or decides on it.
      await tx.query("select lock_decisions($1, true)", [[scriptId]]);
      const tables = new Map((await readTables(tx)).map((table) => [table.name, table]));
      const insert = (table: string, some: readonly ExportedRow[]): Promise<void> =>
        insertRows(tx, tables.get(table), columns.get(table) ?? [], some);
      const { rowCount } = await tx.query("select from scripts where id = $1 for update", [
        scriptId,
      ]);
      const isNew = rowCount === 0;
      if (isNew) await insert("scripts", [{ ...script, filename: name, deleted_at: null }]);
      else
        await tx.query(
          "update scripts set latest_version = greatest(latest_version, $2) where id = $1",
          [scriptId, Math.max(0, ...missing.map((row) => Number(row["number"])))],
        );
      // What a purge was still to delete.
      await tx.query("delete from purged_objects where key = any($1::text[])", [
        missing.map((row) => manifestKey(scriptId, Number(row["number"]))),
      ]);
      const analysed = new Set(
        rows.of("analyses").flatMap((row) => (row["state"] === "done" ? [analysisOf(row)] : [])),
      );
      const isOver = (row: ExportedRow): boolean =>
        row["state"] === "failed" ||
        (/^(ready|needs_approval|rejected)$/.test(row["state"] ?? "") &&
          analysed.has(analysisOf(row)));
      const over = missing.filter(isOver);
      const others = missing.filter((row) => !isOver(row));
      await insert("versions", [...over.map(overAgain), ...others.map(begunAnew)]);
      await insertBlobs(tx, blobs, new Set(missing.map((row) => row["sha256"] ?? "")));
      await insert("expired_blobs", rows.of("expired_blobs"));
      await tx.query(
        `delete from expired_blobs e where e.sha256 = any($1::text[])
           and exists (select from blobs b where b.sha256 = e.sha256 and b.state = 'stored')`,
        [missing.map((row) => row["sha256"])],
      );
      await insertAnalyses(tx, rows, over, insert);
      const overIds = new Set(over.map((row) => row["id"]));
      await insert(
        "stages",
        rows.of("stages").filter((row) => overIds.has(row["version_id"] ?? "")),
      );
      await tx.query(
        "insert into stages (version_id, stage) select id, 'dedup' from unnest($1::uuid[]) as ids (id)",
        [others.map((row) => row["id"])],
      );
      if (isNew) await insertWhatPeopleSaid(tx, rows, insert);
      await tx.query(
        `insert into search_queue (version_id) select id from versions
         where id = any($1::uuid[]) and state not in ('queued', 'processing') on conflict do nothing`,
        [over.map((row) => row["id"])],
      );
      const versions = missing.map((row) => Number(row["number"]));
      const details = { filename: name, versions, export_id: id, exported_at: createdAt };
      await recordAudit(tx, [{ actor, action: "script.restored", scriptId, details }]);
    });
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.constraint === "scripts_name")
      throw new NameTakenError(name, undefined);
    throw error;
  }
}

function analysisOf(row: ExportedRow): string {
  return `${row["sha256"]} ${row["analyser_version"]} ${row["policy_version"]}`;
}

/** A version that was over. The policy in force judges it, and the janitor writes its manifest again. */
function overAgain(row: ExportedRow): ExportedRow {
  return {
    ...row,
    policy_id: "0",
    duplicate_of: null,
    raw_key: null,
    manifest_key: null,
    deleted_at: null,
  };
}

/** A version that was under way: its bytes are a blob by now. */
function begunAnew(row: ExportedRow): ExportedRow {
  return {
    ...overAgain(row),
    state: "queued",
    verdict: null,
    analyser_version: null,
    policy_version: null,
    finished_at: null,
  };
}

/** Columns that the export has and the table has not any more are left out. */
async function insertRows(
  tx: Queryable,
  table: ExportedTable | undefined,
  columns: readonly string[],
  rows: readonly ExportedRow[],
): Promise<void> {
  if (table === undefined || rows.length === 0) return;
  const there = new Set(table.columns.map(({ name }) => name));
  const wanted = columns.filter((name) => there.has(name));
  const lines = rows.map((row) => JSON.stringify(row));
  await loadRows(tx, table, wanted, lines, { keep: true });
}

/** In order of their hashes, as everybody locks them. */
async function insertBlobs(
  tx: Queryable,
  blobs: readonly PutBlob[],
  hashes: ReadonlySet<string>,
): Promise<void> {
  const byHash = new Map(blobs.map((blob) => [blob.sha256, blob]));
  for (const sha256 of [...hashes].sort()) {
    const blob = byHash.get(sha256);
    if (blob !== undefined)
      await tx.query(
        `insert into blobs (sha256, size, key, length, encoding, backup_key, backed_up_at)
         values ($1, $2, $3, $4, $5, $6, now()) on conflict (sha256) do nothing`,
        [sha256, blob.size, blob.key, blob.length, blob.encoding, blob.backupKey],
      );
    const { rows } = await tx.query<{ state: string; since: boolean }>(
      "select state, created_at >= $2::timestamptz as since from blobs where sha256 = $1 for update",
      [sha256, blob?.startedAt ?? "-infinity"],
    );
    const found = rows[0];
    // Without a row where the backup has lost the bytes.
    if (found === undefined || found.state === "stored") continue;
    if (found.state === "deleting" || found.since) throw new BytesGoingError(sha256);
    if (blob !== undefined)
      await tx.query(
        `update blobs set state = 'stored', size = $2, key = $3, "offset" = 0, length = $4, encoding = $5,
           backup_key = $6, backed_up_at = now(), created_at = now() where sha256 = $1`,
        [sha256, blob.size, blob.key, blob.length, blob.encoding, blob.backupKey],
      );
  }
}

type Insert = (table: string, rows: readonly ExportedRow[]) => Promise<void>;

/** What is known of the bytes already stays. Whoever led an analysis may be gone: then a version of this script does. */
async function insertAnalyses(
  tx: Queryable,
  rows: ScriptRows,
  over: readonly ExportedRow[],
  insert: Insert,
): Promise<void> {
  const needed = new Map(over.map((row) => [analysisOf(row), row["id"] ?? ""]));
  const analyses = rows
    .of("analyses")
    .filter((row) => row["state"] === "done" && needed.has(analysisOf(row)));
  const leaders = await tx.query<{ id: string }>(
    "select id from versions where id = any($1::uuid[])",
    [analyses.map((row) => row["leader"])],
  );
  const there = new Set(leaders.rows.map(({ id }) => id));
  await insert(
    "analyses",
    analyses.map((row) => ({
      ...row,
      leader: there.has(row["leader"] ?? "")
        ? (row["leader"] ?? "")
        : (needed.get(analysisOf(row)) ?? ""),
    })),
  );
  const known = new Set(over.map((row) => `${row["sha256"]} ${row["analyser_version"]}`));
  await insert(
    "script_facts",
    rows
      .of("script_facts")
      .filter((row) => known.has(`${row["sha256"]} ${row["analyser_version"]}`)),
  );
}

async function insertWhatPeopleSaid(
  tx: Queryable,
  rows: ScriptRows,
  insert: Insert,
): Promise<void> {
  await insert("metadata_changes", rows.of("metadata_changes"));
  await insert("legal_holds", rows.of("legal_holds"));
  for (const table of ["script_use", "script_use_days"]) await insert(table, rows.of(table));
  // Numbers of their own, in their old order: in another installation others may have those that they had.
  const approvals = rows
    .of("approvals")
    .toSorted((a, b) => Number(a["seq"] ?? 0) - Number(b["seq"] ?? 0));
  for (const approval of approvals) {
    const { rows: next } = await tx.query<{ seq: string }>(
      "select nextval(pg_get_serial_sequence('approvals', 'seq'))::text as seq",
    );
    const seq = next[0]?.seq ?? "";
    await insert("approvals", [{ ...approval, seq }]);
    const items = rows
      .of("approval_items")
      .filter((item) => item["approval_id"] === approval["id"]);
    await insert(
      "approval_items",
      items.map((item) => ({ ...item, seq })),
    );
  }
}
