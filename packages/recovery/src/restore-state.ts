import { type Queryable, RESTORE_SCHEMA } from "@sluice/catalog";
import { quoted } from "./tables.js";

/**
 * How far a restore has come, kept in the target in a schema of its own. For as long as it is there, no service serves the catalog
 * and no other restore is begun; what each step does is committed together with the note that it is done.
 */
export class RestoreState {
  constructor(
    private readonly db: Queryable,
    /** The export that is restored. */
    readonly exportId: string,
  ) {}

  /** What an earlier run has begun; `undefined` where there is none. */
  static async find(db: Queryable): Promise<RestoreState | undefined> {
    const { rowCount } = await db.query("select from pg_namespace where nspname = $1", [
      RESTORE_SCHEMA,
    ]);
    if (rowCount === 0) return undefined;
    const { rows } = await db.query<{ export_id: string }>(
      `select export_id from ${RESTORE_SCHEMA}.restore`,
    );
    return new RestoreState(db, rows[0]?.export_id ?? "");
  }

  static async begin(db: Queryable, exportId: string): Promise<RestoreState> {
    await db.query(
      `begin;
       create schema ${RESTORE_SCHEMA};
       create table ${RESTORE_SCHEMA}.restore (export_id text not null, begun_at timestamptz not null default now());
       create table ${RESTORE_SCHEMA}.steps (name text primary key, details json);
       create table ${RESTORE_SCHEMA}.deferred (position integer primary key, statement text not null);
       insert into ${RESTORE_SCHEMA}.restore (export_id) values ('${exportId}');
       commit`,
    );
    return new RestoreState(db, exportId);
  }

  /** The details of a step that is done; `undefined` where it is not. */
  async done(step: string): Promise<unknown> {
    const { rows } = await this.db.query<{ details: unknown }>(
      `select coalesce(details, '{}') as details from ${RESTORE_SCHEMA}.steps where name = $1`,
      [step],
    );
    return rows[0]?.details;
  }

  async allDone(): Promise<Set<string>> {
    const { rows } = await this.db.query<{ name: string }>(
      `select name from ${RESTORE_SCHEMA}.steps`,
    );
    return new Set(rows.map(({ name }) => name));
  }

  /** Notes a step, in the transaction that does it. */
  async note(step: string, details: object = {}): Promise<void> {
    await this.db.query(
      `insert into ${RESTORE_SCHEMA}.steps (name, details) values ($1, $2)
       on conflict (name) do update set details = excluded.details`,
      [step, JSON.stringify(details)],
    );
  }

  /** Does a step once, however often it is asked for. */
  async once(step: string, work: () => Promise<void>): Promise<void> {
    if ((await this.done(step)) !== undefined) return;
    await inTransaction(this.db, async () => {
      await work();
      await this.note(step);
    });
  }

  /** Takes constraints, indexes and triggers off the tables, which would be in the way of a load, and notes how to put them back. */
  async defer(tables: readonly string[]): Promise<void> {
    const { rows } = await this.db.query<{ drop: string; restore: string }>(
      `select format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname) as "drop",
         format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
           as restore, case c.contype when 'f' then 0 else 1 end as rank
       from pg_constraint c join pg_class t on t.oid = c.conrelid
       where t.relnamespace = current_schema()::regnamespace and t.relname = any($1::text[]) and c.contype in ('f', 'u')
       union all
       select format('drop index %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid), 2
       from pg_index i join pg_class t on t.oid = i.indrelid
       where t.relnamespace = current_schema()::regnamespace and t.relname = any($1::text[]) and not i.indisprimary
         and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('u', 'x'))
       order by rank`,
      [tables],
    );
    for (const { drop } of rows) await this.db.query(drop);
    for (const table of tables)
      await this.db.query(`alter table ${quoted(table)} disable trigger user`);
    // Back in the opposite order: what is unique before what refers to it.
    const back = rows.map(({ restore }) => restore).reverse();
    for (const table of tables) back.push(`alter table ${quoted(table)} enable trigger user`);
    // What the triggers would have counted. An export of an older Sluice is counted by the migration that comes with counting.
    back.push(
      "do $$ begin if to_regproc('recount_statistics') is not null then perform recount_statistics(); end if; end $$",
    );
    await this.db.query(
      `insert into ${RESTORE_SCHEMA}.deferred (position, statement)
       select position, statement from unnest($1::text[]) with ordinality as all_of_them (statement, position)`,
      [back],
    );
  }

  /** Puts back what {@link defer} took off; each statement once. */
  async putBack(onStatement: () => void): Promise<void> {
    for (;;) {
      const { rows } = await this.db.query<{ position: number; statement: string }>(
        `select position, statement from ${RESTORE_SCHEMA}.deferred order by position limit 1`,
      );
      const next = rows[0];
      if (next === undefined) return;
      await inTransaction(this.db, async () => {
        await this.db.query(next.statement);
        await this.db.query(`delete from ${RESTORE_SCHEMA}.deferred where position = $1`, [
          next.position,
        ]);
      });
      onStatement();
    }
  }

  /** From here on the catalog is served. */
  async end(): Promise<void> {
    await this.db.query(`drop schema ${RESTORE_SCHEMA} cascade`);
  }
}

/** Runs work on one connection in a transaction. */
async function inTransaction(db: Queryable, work: () => Promise<void>): Promise<void> {
  await db.query("begin");
  try {
    await work();
    await db.query("commit");
  } catch (error) {
    await db.query("rollback");
    throw error;
  }
}
