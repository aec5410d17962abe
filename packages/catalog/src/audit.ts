import type { AuditAction } from "@sluice/contracts";
import type { Queryable } from "./catalog.js";

/** Something that somebody did, as it is to be remembered. */
export interface AuditEvent {
  /** Who: an API key's name or fingerprint, or a part of Sluice itself. */
  readonly actor: string;
  readonly action: AuditAction;
  readonly scriptId?: string | undefined;
  readonly version?: number | undefined;
  readonly sha256?: string | undefined;
  readonly details?: object | undefined;
}

export interface AuditEntry extends AuditEvent {
  /** Grows from entry to entry. */
  readonly id: number;
  readonly at: Date;
  readonly details: object;
}

/** Appends to the audit log, in the transaction that does what the events tell of. */
export async function recordAudit(tx: Queryable, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.query(
    `insert into audit_log (actor, action, script_id, version, sha256, details)
     select actor, action, script_id, version, sha256, details
     from unnest($1::text[], $2::text[], $3::uuid[], $4::integer[], $5::text[], $6::json[])
       with ordinality as events (actor, action, script_id, version, sha256, details, position)
     order by position`,
    [
      events.map(({ actor }) => actor),
      events.map(({ action }) => action),
      events.map(({ scriptId }) => scriptId ?? null),
      events.map(({ version }) => version ?? null),
      events.map(({ sha256 }) => sha256 ?? null),
      events.map(({ details }) => JSON.stringify(details ?? {})),
    ],
  );
}

export interface AuditFilter {
  readonly scriptId?: string | undefined;
  readonly action?: AuditAction | undefined;
  /** From then (inclusive) on. */
  readonly since?: Date | undefined;
}

/** The audit log, newest first, also of scripts that are gone. */
export async function listAudit(
  db: Queryable,
  { filter, before, limit }: { filter: AuditFilter; before?: number | undefined; limit: number },
): Promise<{ items: readonly AuditEntry[]; next: number | undefined }> {
  const { rows } = await db.query<AuditRow>(
    `select id::float8 as id, at, actor, action, script_id, version, sha256, details from audit_log
     where ($1::uuid is null or script_id = $1) and ($2::text is null or action = $2)
       and ($3::timestamptz is null or at >= $3) and ($4::bigint is null or id < $4)
     order by audit_log.id desc limit $5`,
    [
      filter.scriptId ?? null,
      filter.action ?? null,
      filter.since ?? null,
      before ?? null,
      limit + 1,
    ],
  );
  const items = rows.slice(0, limit).map(toEntry);
  return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
}

interface AuditRow {
  id: number;
  at: Date;
  actor: string;
  action: AuditAction;
  script_id: string | null;
  version: number | null;
  sha256: string | null;
  details: object;
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    actor: row.actor,
    action: row.action,
    scriptId: row.script_id ?? undefined,
    version: row.version ?? undefined,
    sha256: row.sha256 ?? undefined,
    details: row.details,
  };
}
