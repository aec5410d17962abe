import type { VersionState } from "@sluice/pipeline";

/** Which scripts are meant, by themselves and by their newest version; all that is named must hold. */
export interface ScriptFilter {
  readonly states?: readonly VersionState[] | undefined;
  /** Part of the file name, case ignored. */
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly batchId?: string | undefined;
  /** Upload time of the newest version, from (inclusive) and until (exclusive). */
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** All of them. */
  readonly tags?: readonly string[] | undefined;
  /** All of them, with these values. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly owner?: string | undefined;
  readonly pinned?: boolean | undefined;
}

/**
 * The filter as conditions on scripts `s` and their newest versions `v`, deleted scripts left out.
 *
 * @param bind - makes a placeholder of a value
 */
export function conditionsOf(filter: ScriptFilter, bind: (value: unknown) => string): string[] {
  const conditions = ["s.deleted_at is null"];
  if (filter.states !== undefined) conditions.push(`v.state = any(${bind(filter.states)}::text[])`);
  if (filter.name !== undefined) {
    conditions.push(
      `s.filename ilike ${bind(`%${filter.name.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`)}`,
    );
  }
  if (filter.namespace !== undefined) conditions.push(`s.namespace = ${bind(filter.namespace)}`);
  if (filter.batchId !== undefined) conditions.push(`v.batch_id = ${bind(filter.batchId)}`);
  if (filter.since !== undefined) conditions.push(`v.created_at >= ${bind(filter.since)}`);
  if (filter.until !== undefined) conditions.push(`v.created_at < ${bind(filter.until)}`);
  // What the partial indexes hold is said once more, so that they are used.
  if (filter.tags !== undefined && filter.tags.length > 0) {
    conditions.push(`s.tags @> ${bind(filter.tags)}::text[]`, "s.tags <> '{}'");
  }
  if (filter.labels !== undefined && Object.keys(filter.labels).length > 0) {
    conditions.push(
      `s.labels @> ${bind(JSON.stringify(filter.labels))}::jsonb`,
      "s.labels <> '{}'",
    );
  }
  if (filter.owner !== undefined) conditions.push(`s.owner = ${bind(filter.owner)}`);
  if (filter.pinned !== undefined) conditions.push(filter.pinned ? "s.pinned" : "not s.pinned");
  return conditions;
}
