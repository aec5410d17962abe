import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { heldScripts } from "./legal-holds.js";

/** By which rule of which retention policy something goes. */
export interface DeletionRule {
  readonly rule: string;
  readonly policy_id: number;
  readonly policy_version: string;
}

/** Who deletes, and why, as the trash and the audit log are to have it. */
export interface Deletion {
  readonly actor: string;
  /** How long what goes can be brought back, in milliseconds. */
  readonly trashMs: number;
  /** In the words of a person. */
  readonly reason?: string | undefined;
  /** Absent where a person deletes. */
  readonly ruleOf?: (scriptId: string) => DeletionRule | undefined;
}

/**
 * Puts scripts into the trash: they and their versions are seen no more, and their names are free. Those that are held, or not there,
 * are left out.
 *
 * @returns those that went there
 */
export async function moveToTrash(
  tx: Queryable,
  scriptIds: readonly string[],
  { actor, trashMs, reason, ruleOf = () => undefined }: Deletion,
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ id: string; namespace: string; filename: string }>(
    `select id, namespace, filename from scripts where id = any($1::uuid[]) and deleted_at is null
     order by id for update`,
    [scriptIds],
  );
  // A statement of its own, which sees what was committed while the locks were waited for.
  const held = await heldScripts(
    tx,
    rows.map(({ id }) => id),
  );
  const going = rows.filter(({ id }) => !held.has(id));
  await tx.query("update scripts set deleted_at = now() where id = any($1::uuid[])", [
    going.map(({ id }) => id),
  ]);
  await insertTrash(
    tx,
    going.map(({ id }) => ({ id, scriptId: id, rule: ruleOf(id) })),
    { actor, trashMs, reason },
  );
  await recordAudit(
    tx,
    going.map(({ id, namespace, filename }) => ({
      actor,
      action: "script.deleted" as const,
      scriptId: id,
      // What a purge leaves to tell of it.
      details: { namespace, filename, ...ruleOf(id), ...(reason !== undefined && { reason }) },
    })),
  );
  return new Set(going.map(({ id }) => id));
}

/** One version of a script that stays. */
export interface DeletedVersion {
  readonly scriptId: string;
  readonly versionId: string;
  readonly rule?: DeletionRule | undefined;
}

/**
 * Puts versions into the trash. The newest version of a script never goes, nor one that is under way or whose script is held or
 * deleted; such are left out. The rows of the scripts are locked by whoever has decided it.
 *
 * @returns the ids of those that went there
 */
export async function moveVersionsToTrash(
  tx: Queryable,
  versions: readonly DeletedVersion[],
  { actor, trashMs, reason }: Omit<Deletion, "ruleOf">,
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{
    id: string;
    script_id: string;
    number: number;
    sha256: string;
  }>(
    `update versions v set deleted_at = now() from scripts s
     where v.id = any($1::uuid[]) and s.id = v.script_id and s.deleted_at is null and v.deleted_at is null
       and v.number < s.latest_version and v.state not in ('queued', 'processing')
       and not exists (select from legal_holds h where h.script_id = s.id)
     returning v.id, v.script_id, v.number, v.sha256`,
    [versions.map(({ versionId }) => versionId)],
  );
  const rules = new Map(versions.map(({ versionId, rule }) => [versionId, rule]));
  await insertTrash(
    tx,
    rows.map((row) => ({
      id: row.id,
      scriptId: row.script_id,
      version: row.number,
      rule: rules.get(row.id),
    })),
    { actor, trashMs, reason },
  );
  await recordAudit(
    tx,
    rows.map((row) => ({
      actor,
      action: "version.deleted" as const,
      scriptId: row.script_id,
      version: row.number,
      sha256: row.sha256,
      details: { ...rules.get(row.id), ...(reason !== undefined && { reason }) },
    })),
  );
  return new Set(rows.map(({ id }) => id));
}

interface NewTrash {
  readonly id: string;
  readonly scriptId: string;
  readonly version?: number;
  readonly rule: DeletionRule | undefined;
}

async function insertTrash(
  tx: Queryable,
  items: readonly NewTrash[],
  { actor, trashMs, reason }: Omit<Deletion, "ruleOf">,
): Promise<void> {
  await tx.query(
    `insert into trash (id, script_id, version, purge_at, actor, reason, rule, policy_id, policy_version)
     select id, script_id, version, now() + make_interval(secs => $2), $3, $4, rule, policy_id, policy_version
     from jsonb_to_recordset($1::jsonb) as item (id uuid, script_id uuid, version integer, rule text,
       policy_id integer, policy_version text)`,
    [
      JSON.stringify(
        items.map(({ id, scriptId, version, rule }) => ({
          id,
          script_id: scriptId,
          version,
          ...rule,
        })),
      ),
      trashMs / 1_000,
      actor,
      reason ?? null,
    ],
  );
}

/** Deletes one script for a person. */
export async function deleteScript(
  catalog: Catalog,
  { scriptId, ...deletion }: { readonly scriptId: string } & Omit<Deletion, "ruleOf">,
): Promise<"deleted" | "held" | "not_found"> {
  return catalog.transaction(async (tx) => {
    if ((await moveToTrash(tx, [scriptId], deletion)).has(scriptId)) return "deleted";
    const { rowCount } = await tx.query(
      "select from scripts where id = $1 and deleted_at is null",
      [scriptId],
    );
    return rowCount === 1 ? "held" : "not_found";
  });
}

/** A script, or a version of one, that can be brought back until it is purged. */
export interface TrashItem {
  /** Of the script or of the version. */
  readonly id: string;
  readonly scriptId: string;
  /** `undefined` where the script is there as a whole. */
  readonly version: number | undefined;
  readonly namespace: string;
  readonly filename: string;
  readonly deletedAt: Date;
  /** {@link deletedAt} in microseconds, as a place in the list. */
  readonly position: string;
  /** From when on it is purged. */
  readonly purgeAt: Date;
  readonly actor: string;
  readonly reason: string | undefined;
  readonly rule: DeletionRule | undefined;
  /** Under legal hold: it is not purged until that is lifted. */
  readonly held: boolean;
  /** Purging it has begun, and it cannot be brought back any more. */
  readonly going: boolean;
  readonly versions: number;
  /** Of the versions, in bytes, as uploaded. */
  readonly size: number;
}

export interface TrashFilter {
  readonly namespace?: string | undefined;
  /** The name that the script had. */
  readonly filename?: string | undefined;
  readonly scriptId?: string | undefined;
}

/** What is in the trash, what was deleted last first. */
export async function listTrash(
  db: Queryable,
  {
    filter,
    before,
    limit,
  }: {
    readonly filter: TrashFilter;
    readonly before?: Pick<TrashItem, "id" | "position"> | undefined;
    readonly limit: number;
  },
): Promise<{ readonly items: readonly TrashItem[]; readonly next: TrashItem | undefined }> {
  const { rows } = await db.query<TrashRow>(
    `select t.*, h.script_id is not null as held, c.versions, c.size,
       to_char(t.deleted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position
     from (select t.*, s.namespace, s.filename from trash t join scripts s on s.id = t.script_id
         where ($1::timestamptz is null or (t.deleted_at, t.id) < ($1, $2::uuid))
           and ($4::text is null or s.namespace = $4) and ($5::text is null or s.filename = $5)
           and ($6::uuid is null or t.script_id = $6)
         order by t.deleted_at desc, t.id desc limit $3) t
       left join legal_holds h on h.script_id = t.script_id
       cross join lateral (select count(*)::int as versions, coalesce(sum(v.size), 0)::float8 as size
         from versions v where v.script_id = t.script_id and (t.version is null or v.number = t.version)) c
     order by t.deleted_at desc, t.id desc`,
    [
      before?.position ?? null,
      before?.id ?? null,
      limit + 1,
      filter.namespace ?? null,
      filter.filename ?? null,
      filter.scriptId ?? null,
    ],
  );
  const items = rows.slice(0, limit).map(toItem);
  return { items, next: rows.length > limit ? items.at(-1) : undefined };
}

interface TrashRow {
  id: string;
  script_id: string;
  version: number | null;
  namespace: string;
  filename: string;
  deleted_at: Date;
  position: string;
  purge_at: Date;
  actor: string;
  reason: string | null;
  rule: string | null;
  policy_id: number | null;
  policy_version: string | null;
  purged: number;
  held: boolean;
  versions: number;
  size: number;
}

function toItem(row: TrashRow): TrashItem {
  const { rule, policy_id, policy_version } = row;
  return {
    id: row.id,
    scriptId: row.script_id,
    version: row.version ?? undefined,
    namespace: row.namespace,
    filename: row.filename,
    deletedAt: row.deleted_at,
    position: row.position,
    purgeAt: row.purge_at,
    actor: row.actor,
    reason: row.reason ?? undefined,
    rule:
      rule === null
        ? undefined
        : { rule, policy_id: policy_id ?? 0, policy_version: policy_version ?? "" },
    held: row.held,
    going: row.purged > 0,
    versions: row.versions,
    size: row.size,
  };
}
