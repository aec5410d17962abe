import type { BlobPlace } from "@sluice/object-store";
import { FIRST_STAGE, type VersionState } from "@sluice/pipeline";
import { v7 as uuidv7 } from "uuid";
import { type Catalog, isConflict } from "./catalog.js";
import { GroupCommit } from "./group-commit.js";

/** What stands under a name, as an upload of that name needs to know it. */
export interface UploadTarget {
  readonly scriptId: string;
  readonly latestVersion: number;
  readonly latestSha256: string;
  /** Where the newest version's bytes are said to be; `undefined` where they are not kept any more. */
  readonly latestPlace: Pick<BlobPlace, "key" | "length"> | undefined;
  /** They are marked as damaged or missing. */
  readonly latestMarked: boolean;
}

export type OnConflict = "version" | "reject" | "keep_both";

/** An upload whose bytes are stored already. */
export interface Upload {
  /** The script and number that {@link rawKey} was made of. */
  readonly scriptId: string;
  readonly version: number;
  readonly namespace: string;
  readonly filename: string;
  readonly originalFilename: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  /** `undefined` where the bytes are a stored blob already, as when a version is restored. */
  readonly rawKey: string | undefined;
  readonly onConflict: OnConflict;
  readonly requestId: string;
  readonly batchId?: string | undefined;
  readonly restoredFrom?: number | undefined;
  /** Recorded in the same transaction, so that a retry after any crash is answered alike. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string } | undefined;
}

/** The version that an upload made, or found standing. */
export interface RegisteredVersion {
  readonly versionId: string;
  readonly scriptId: string;
  readonly version: number;
  readonly filename: string;
  readonly state: VersionState;
  readonly sha256: string;
  readonly size: number;
  readonly uploadTime: Date;
  /** The raw upload's key; `undefined` once dedup has settled it. */
  readonly rawKey: string | undefined;
}

export type Registration =
  | ({ readonly kind: "created" } & RegisteredVersion)
  /** The newest version of that name has these very bytes; nothing was written. */
  | ({ readonly kind: "unchanged" } & RegisteredVersion)
  /** `reject` was asked for and the name exists. */
  | { readonly kind: "name_taken"; readonly scriptId: string; readonly version: number }
  /** The script or number is somebody else's by now: store the bytes under this one and try again. */
  | { readonly kind: "moved"; readonly scriptId: string | undefined; readonly nextVersion: number };

/** What stands under a name in a namespace; `undefined` where nothing does. */
export async function findUploadTarget(
  catalog: Catalog,
  { namespace, filename }: { namespace: string; filename: string },
): Promise<UploadTarget | undefined> {
  const { rows } = await catalog.query<{
    id: string;
    latest_version: number;
    sha256: string;
    key: string | null;
    length: number;
    marked: boolean;
  }>({
    name: "find_upload_target",
    text: `select s.id, s.latest_version, v.sha256, coalesce(b.key, v.raw_key) as key,
        coalesce(b.length, v.size)::float8 as length, d.sha256 is not null as marked
      from scripts s join versions v on v.script_id = s.id and v.number = s.latest_version
        left join blobs b on b.sha256 = v.sha256 and b.state = 'stored'
        left join damaged_blobs d on d.sha256 = v.sha256
      where s.namespace = $1 and s.filename = $2 and s.deleted_at is null`,
    values: [namespace, filename],
  });
  const row = rows[0];
  return (
    row && {
      scriptId: row.id,
      latestVersion: row.latest_version,
      latestSha256: row.sha256,
      latestPlace: row.key === null ? undefined : { key: row.key, length: row.length },
      latestMarked: row.marked,
    }
  );
}

/** A version that has just become `pending` in the first stage. */
export interface CommittedUpload {
  readonly versionId: string;
  readonly size: number;
}

export interface Registrar {
  /** Commits the upload and its first stage's `pending` row; many calls at once share a commit. */
  register(upload: Upload): Promise<Registration>;
}

/**
 * @param onCommitted - told, after each commit, what it made pending: the fast path to the queue. What
 * it fails to enqueue the janitor will; it must not throw.
 */
export function createRegistrar(
  catalog: Catalog,
  { onCommitted }: { onCommitted: (uploads: readonly CommittedUpload[]) => void },
): Registrar {
  const group = new GroupCommit<Upload, Registration>(async (uploads) => {
    const registrations = await registerAll(catalog, uploads);
    const created = registrations.filter((registration) => registration.kind === "created");
    if (created.length > 0) onCommitted(created);
    return registrations;
  });
  return { register: (upload) => group.add(upload) };
}

async function registerAll(
  catalog: Catalog,
  uploads: readonly Upload[],
): Promise<readonly Registration[]> {
  // In order of name, so that two groups that meet on two names cannot each hold what the other wants.
  const ordered = uploads
    .map((upload, index) => ({ upload, index }))
    .toSorted((a, b) => compare(nameOf(a.upload), nameOf(b.upload)));
  const items = ordered.map(({ upload }) => toItem(upload));
  const { rows } = await catalog
    .query<{ answer: Answer }>({
      name: "register_uploads",
      text: REGISTER,
      values: [JSON.stringify(items)],
    })
    .catch((error: unknown) => {
      // keep_both looks for a free name, out of that order.
      if (isConflict(error))
        return catalog.query<{ answer: Answer }>(REGISTER, [JSON.stringify(items)]);
      throw error;
    });
  const registrations = Array.from<Registration>({ length: uploads.length });
  for (const [position, { index }] of ordered.entries()) {
    registrations[index] = fromAnswer((rows[position] as { answer: Answer }).answer);
  }
  return registrations;
}

const REGISTER = `select register_upload(item) as answer
  from jsonb_array_elements($1::jsonb) with ordinality as items (item, position) order by position`;

function nameOf({ namespace, filename }: Upload): string {
  return `${namespace}\0${filename}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function toItem(upload: Upload): object {
  return {
    version_id: uuidv7(),
    script_id: upload.scriptId,
    version: upload.version,
    namespace: upload.namespace,
    filename: upload.filename,
    // PostgreSQL's text takes neither NUL nor half a surrogate pair.
    original_filename: upload.originalFilename.toWellFormed().replaceAll("\0", "\u{fffd}"),
    sha256: upload.sha256,
    size: upload.size,
    raw_key: upload.rawKey,
    on_conflict: upload.onConflict,
    request_id: upload.requestId,
    batch_id: upload.batchId,
    restored_from: upload.restoredFrom,
    first_stage: FIRST_STAGE,
    idempotency_key: upload.idempotency?.key,
    fingerprint: upload.idempotency?.fingerprint,
  };
}

/** What `register_upload` answers, as JSON. */
interface Answer {
  readonly kind: Registration["kind"];
  readonly version_id: string;
  readonly script_id: string | null;
  readonly version: number;
  readonly next_version: number;
  readonly filename: string;
  readonly state: VersionState;
  readonly sha256: string;
  readonly size: number;
  readonly created_at: string;
  readonly raw_key: string | null;
}

/** What `register_upload` recorded for an `Idempotency-Key`. */
export function toRegistration(recorded: unknown): Registration {
  return fromAnswer(recorded as Answer);
}

function fromAnswer(answer: Answer): Registration {
  switch (answer.kind) {
    case "moved":
      return {
        kind: "moved",
        scriptId: answer.script_id ?? undefined,
        nextVersion: answer.next_version,
      };
    case "name_taken":
      return { kind: "name_taken", scriptId: answer.script_id ?? "", version: answer.version };
    default:
      return {
        kind: answer.kind,
        versionId: answer.version_id,
        scriptId: answer.script_id ?? "",
        version: answer.version,
        filename: answer.filename,
        state: answer.state,
        sha256: answer.sha256,
        size: answer.size,
        uploadTime: new Date(answer.created_at),
        rawKey: answer.raw_key ?? undefined,
      };
  }
}
