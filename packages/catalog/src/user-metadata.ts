import type { FieldChange } from "@sluice/contracts";
import type { Queryable } from "./catalog.js";
import { readScript, type UserMetadata } from "./scripts.js";

/** One change of a script's user-owned fields. */
export interface MetadataChange {
  /** That the change has made. */
  readonly revision: number;
  readonly at: Date;
  /** Who: an API key's name or fingerprint. */
  readonly actor: string;
  /** The bulk change that it was a part of. */
  readonly changeId: string | undefined;
  readonly changes: readonly FieldChange[];
}

/** What differs from one to the other, field by field and label by label; nothing where they are the same. */
export function changesBetween(before: UserMetadata, after: UserMetadata): FieldChange[] {
  const fields = (["title", "description", "tags", "owner", "pinned"] as const).map((name) => ({
    field: `/${name}`,
    from: before[name],
    to: after[name],
  }));
  const names = new Set([...Object.keys(before.labels), ...Object.keys(after.labels)]);
  const labels = [...names].toSorted().map((name) => ({
    field: `/labels/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    from: valueOf(before.labels, name),
    to: valueOf(after.labels, name),
  }));
  return [...fields, ...labels].filter(
    ({ from, to }) => JSON.stringify(from) !== JSON.stringify(to),
  );
}

function valueOf(labels: UserMetadata["labels"], name: string): string | null {
  return Object.hasOwn(labels, name) ? (labels[name] as string) : null;
}

/**
 * Gives the user-owned fields other values, if nobody has since the revision that the caller saw, and remembers who did.
 *
 * @param changes - what {@link changesBetween} says of that revision's values and the new ones
 * @returns the new revision; `stale` where there is a newer one; `undefined` where there is no script
 */
export async function updateUserMetadata(
  db: Queryable,
  {
    scriptId,
    revision,
    metadata,
    changes,
    actor,
  }: {
    scriptId: string;
    revision: number;
    metadata: UserMetadata;
    changes: readonly FieldChange[];
    actor: string;
  },
): Promise<number | "stale" | undefined> {
  const { rows } = await db.query<{ revision: number }>(
    `with updated as (
       update scripts set title = $3, description = $4, tags = $5, labels = $6, owner = $7, pinned = $8,
         revision = revision + 1
       where id = $1 and revision = $2 and deleted_at is null returning id, revision)
     insert into metadata_changes (script_id, revision, actor, changes)
       select id, revision, $9, $10 from updated returning revision`,
    [
      scriptId,
      revision,
      metadata.title,
      metadata.description,
      metadata.tags,
      JSON.stringify(metadata.labels),
      metadata.owner,
      metadata.pinned,
      actor,
      JSON.stringify(changes),
    ],
  );
  if (rows[0] !== undefined) return rows[0].revision;
  return (await readScript(db, scriptId)) === undefined ? undefined : "stale";
}

/** The changes of a script's user-owned fields, newest first. */
export async function listMetadataChanges(
  db: Queryable,
  { scriptId, before, limit }: { scriptId: string; before?: number | undefined; limit: number },
): Promise<{ items: readonly MetadataChange[]; next: number | undefined }> {
  const { rows } = await db.query<{
    revision: number;
    at: Date;
    actor: string;
    change_id: string | null;
    changes: FieldChange[];
  }>(
    `select revision, at, actor, change_id, changes from metadata_changes
     where script_id = $1 and ($2::integer is null or revision < $2)
     order by revision desc limit $3`,
    [scriptId, before ?? null, limit + 1],
  );
  const items = rows
    .slice(0, limit)
    .map(({ change_id, ...row }) => ({ ...row, changeId: change_id ?? undefined }));
  return { items, next: rows.length > limit ? items.at(-1)?.revision : undefined };
}
