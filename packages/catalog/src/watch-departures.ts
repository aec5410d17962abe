/** Files of watched directories that go away, or get another name, and their scripts with them. */
import pg from "pg";
import { recordAudit } from "./audit.js";
import type { Catalog, Queryable } from "./catalog.js";
import { heldScripts } from "./legal-holds.js";
import { queueRenamed } from "./search-index.js";
import { moveToTrash } from "./trash.js";

/** Who the audit log says it was. */
const ACTOR = "watch";

/** A file that became a script. */
export interface StoredFile {
  readonly path: string;
  /** Device that it was last found on; `undefined` where nobody has looked since it was stored. */
  readonly dev: bigint | undefined;
  readonly isGone: boolean;
}

/** The files of a directory that became scripts, by path; `gone`: only those that are marked so, for at least so long. */
export async function listStoredFiles(
  db: Queryable,
  {
    directory,
    after,
    limit,
    goneMs,
  }: {
    directory: string;
    after: string | undefined;
    limit: number;
    goneMs?: number | undefined;
  },
): Promise<readonly StoredFile[]> {
  const { rows } = await db.query<{ path: string; dev: string | null; is_gone: boolean }>(
    `select path, dev, gone_since is not null as is_gone from watch_files
     where directory = $1 and code is null and ($2::text is null or path > $2)
       and ($4::float8 is null or gone_since <= now() - $4 * interval '1 ms')
     order by path limit $3`,
    [directory, after ?? null, limit, goneMs ?? null],
  );
  return rows.map(({ path, dev, is_gone: isGone }) => ({
    path,
    dev: dev === null ? undefined : BigInt(dev),
    isGone,
  }));
}

/** Notes which files are gone, and where the others are. */
export async function noteStandings(
  db: Queryable,
  {
    directory,
    gone,
    there,
  }: {
    directory: string;
    gone: readonly string[];
    there: readonly { readonly path: string; readonly dev: bigint }[];
  },
): Promise<void> {
  if (gone.length > 0) {
    await db.query(
      `update watch_files set gone_since = now()
       where directory = $1 and path = any($2::text[]) and gone_since is null`,
      [directory, gone],
    );
  }
  if (there.length > 0) {
    await db.query(
      `update watch_files f set gone_since = null, dev = there.dev
       from unnest($2::text[], $3::numeric[]) as there (path, dev)
       where f.directory = $1 and f.path = there.path`,
      [directory, there.map(({ path }) => path), there.map(({ dev }) => String(dev))],
    );
  }
}

/** The lease under which a directory's files are followed. */
export interface DirectoryHold {
  readonly directory: string;
  readonly token: string;
}

/**
 * Puts the scripts of files that are gone into the trash, for `trashMs`, and forgets the files. A script stays that is held or pinned, that another
 * file stands for, or that has had another version than the file's since.
 *
 * @returns how many scripts went; `undefined` where the lease is lost, and nothing was done
 */
export async function trashDeparted(
  catalog: Catalog,
  {
    directory,
    token,
    paths,
    trashMs,
  }: DirectoryHold & { readonly paths: readonly string[]; readonly trashMs: number },
): Promise<number | undefined> {
  return catalog.transaction(async (tx) => {
    if (!(await lockHold(tx, { directory, token }))) return undefined;
    await tx.query(
      `select from scripts where id in (select script_id from watch_files where directory = $1 and path = any($2::text[]))
       order by id for update`,
      [directory, paths],
    );
    // A statement of its own, which sees what was committed while the locks were waited for.
    const { rows } = await tx.query<{ path: string; script_id: string; pinned: boolean }>(
      `select f.path, s.id as script_id, s.pinned from watch_files f
         join scripts s on s.id = f.script_id and s.deleted_at is null
         join versions v on v.script_id = s.id and v.number = s.latest_version and v.sha256 = f.sha256
       where f.directory = $1 and f.path = any($2::text[]) and f.gone_since is not null
         and not exists (select from watch_files o where o.script_id = f.script_id and o.code is null
           and o.namespace = f.namespace and o.filename = f.filename and o.gone_since is null)`,
      [directory, paths],
    );
    const going = await moveToTrash(
      tx,
      rows.filter(({ pinned }) => !pinned).map(({ script_id: id }) => id),
      { actor: ACTOR, trashMs, reason: `Its file in ${directory} is gone.` },
    );
    const staying = rows.filter(({ script_id: id }) => !going.has(id)).map(({ path }) => path);
    await tx.query(
      `delete from watch_files where directory = $1 and path = any($2::text[]) and gone_since is not null
         and path <> all($3::text[])`,
      [directory, paths, staying],
    );
    return going.size;
  });
}

/** A file that is seen for the first time, and what it may have been before. */
export interface RenamedFile {
  readonly directory: string;
  readonly path: string;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
  readonly sha256: string;
}

/** The paths under which a file with that inode, those times and bytes became a script. */
export async function findFormerPaths(
  db: Queryable,
  { directory, path, size, mtimeNs, ino, sha256 }: RenamedFile,
): Promise<readonly string[]> {
  const { rows } = await db.query<{ path: string }>(
    `select path from watch_files where code is null and directory = $1 and ino = $2 and size = $3
       and mtime_ns = $4 and sha256 = $5 and path <> $6 order by path limit 10`,
    [directory, String(ino), String(size), String(mtimeNs), sha256, path],
  );
  return rows.map((row) => row.path);
}

/**
 * Gives a script the name that its file has by now.
 *
 * @returns `false` where it keeps its name: another script has the new one, or it is held, deleted or was changed by somebody else since,
 *   or the lease is lost
 */
export async function renameScript(
  catalog: Catalog,
  {
    hold,
    from,
    to,
  }: {
    hold: DirectoryHold;
    from: string;
    to: RenamedFile & { readonly namespace: string; readonly filename: string };
  },
): Promise<boolean> {
  const { directory } = hold;
  const { path, namespace, filename } = to;
  try {
    return await catalog.transaction(async (tx) => {
      if (!(await lockHold(tx, hold))) return false;
      const { rows } = await tx.query<{ id: string; namespace: string; filename: string }>(
        `select s.id, s.namespace, s.filename from scripts s
         where s.id = (select script_id from watch_files where directory = $1 and path = $2)
           and s.deleted_at is null for update`,
        [directory, from],
      );
      const script = rows[0];
      if (script === undefined || (await heldScripts(tx, [script.id])).size > 0) return false;
      const newest = await tx.query(
        `select from versions v join scripts s on s.id = v.script_id and s.latest_version = v.number
         where s.id = $1 and v.sha256 = $2 and s.namespace = $3 and s.filename = $4
           and not exists (select from scripts o where o.namespace = $5 and o.filename = $6 and o.deleted_at is null
             and o.id <> s.id)`,
        [script.id, to.sha256, script.namespace, script.filename, namespace, filename],
      );
      if (newest.rows.length === 0) return false;
      await tx.query("update scripts set namespace = $2, filename = $3 where id = $1", [
        script.id,
        namespace,
        filename,
      ]);
      await tx.query("delete from watch_files where directory = $1 and path = $2", [
        directory,
        path,
      ]);
      await tx.query(
        `update watch_files set path = $3, namespace = $4, filename = $5, gone_since = null, seen_at = now()
         where directory = $1 and path = $2`,
        [directory, from, path, namespace, filename],
      );
      await queueRenamed(tx, script.id);
      await recordAudit(tx, [
        {
          actor: ACTOR,
          action: "script.renamed",
          scriptId: script.id,
          details: {
            namespace,
            filename,
            was_in: script.namespace,
            was_named: script.filename,
            directory,
          },
        },
      ]);
      return true;
    });
  } catch (error) {
    // Somebody took the name between the look and the commit.
    if (error instanceof pg.DatabaseError && error.constraint === "scripts_name") return false;
    throw error;
  }
}

/** Keeps the directory to this process until the transaction ends. */
async function lockHold(tx: Queryable, { directory, token }: DirectoryHold): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select from watch_directories where directory = $1 and lease_token = $2 and leased_until > now() for share`,
    [directory, token],
  );
  return rowCount === 1;
}
