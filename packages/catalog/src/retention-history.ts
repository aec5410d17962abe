import type { AuditAction } from "@sluice/contracts";
import type { AuditEntry } from "./audit.js";
import type { Queryable } from "./catalog.js";

/** What is known of a script, in the trash or not, or long gone. */
export interface ScriptTrace {
  /** `undefined` where its row is gone. */
  readonly script:
    | {
        readonly namespace: string;
        readonly filename: string;
        readonly pinned: boolean;
        readonly deletedAt: Date | undefined;
        readonly lastUsedAt: Date | undefined;
      }
    | undefined;
  /** What was done to it as a whole or to its versions, newest first. */
  readonly history: readonly AuditEntry[];
}

const ACTIONS = [
  "script.deleted",
  "script.undeleted",
  "script.purged",
  "version.deleted",
  "version.undeleted",
  "version.purged",
  "version.archived",
  "legal_hold.placed",
  "legal_hold.lifted",
] as const satisfies readonly AuditAction[];
const MOST_ENTRIES = 100;

/** @returns `undefined` where nothing knows of a script of that id */
export async function readScriptTrace(
  db: Queryable,
  scriptId: string,
): Promise<ScriptTrace | undefined> {
  const { rows } = await db.query<{
    namespace: string;
    filename: string;
    pinned: boolean;
    deleted_at: Date | null;
    last_used_at: Date | null;
  }>(
    `select s.namespace, s.filename, s.pinned, s.deleted_at, u.last_used_at
     from scripts s left join script_use u on u.script_id = s.id where s.id = $1`,
    [scriptId],
  );
  const entries = await db.query<{
    id: number;
    at: Date;
    actor: string;
    action: AuditAction;
    version: number | null;
    sha256: string | null;
    details: object;
  }>(
    `select id::float8 as id, at, actor, action, version, sha256, details from audit_log
     where script_id = $1 and action = any($2::text[]) order by audit_log.id desc limit $3`,
    [scriptId, ACTIONS, MOST_ENTRIES],
  );
  const row = rows[0];
  if (row === undefined && entries.rows.length === 0) return undefined;
  return {
    script: row && {
      namespace: row.namespace,
      filename: row.filename,
      pinned: row.pinned,
      deletedAt: row.deleted_at ?? undefined,
      lastUsedAt: row.last_used_at ?? undefined,
    },
    history: entries.rows.map(({ version, sha256, ...entry }) => ({
      ...entry,
      scriptId,
      version: version ?? undefined,
      sha256: sha256 ?? undefined,
    })),
  };
}
