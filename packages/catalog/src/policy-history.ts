import type { QueryResultRow } from "pg";
import type { Queryable } from "./catalog.js";

/** A policy of whatever kind that is or was in force. */
export interface HistoricPolicy {
  /** Grows with each policy that comes into force. */
  readonly id: number;
  readonly name: string;
  /** Of the document as a whole. */
  readonly version: string;
  /** As it was written. */
  readonly source: string;
  readonly activatedBy: string;
  readonly activatedAt: Date;
}

interface HistoricRow extends QueryResultRow {
  id: number;
  name: string;
  version: string;
  source: string;
  activated_by: string;
  activated_at: Date;
}

/** What can be asked of the table of one kind of policy. */
export interface PolicyHistory<Policy> {
  /** The id of the one in force; 0 where there was never one. */
  readonly readId: (db: Queryable) => Promise<number>;
  /** @returns `undefined` where there was never one */
  readonly readInForce: (db: Queryable) => Promise<Policy | undefined>;
  /** @returns `undefined` where there never was one with that id */
  readonly read: (db: Queryable, id: number) => Promise<Policy | undefined>;
  /** Those that were ever in force, the latest first. */
  readonly list: (
    db: Queryable,
    page: { before?: number | undefined; limit: number },
  ) => Promise<{ items: readonly Policy[]; next: number | undefined }>;
  /** Puts one in force; the caller sees to it that nobody else does at the same time. */
  readonly add: (
    tx: Queryable,
    policy: Omit<HistoricPolicy, "id" | "activatedAt">,
  ) => Promise<void>;
}

/**
 * @param table - one of the catalog's, with the columns of {@link HistoricPolicy}
 * @param more - its other columns, and what they say
 */
export function policyHistory<Row extends QueryResultRow = never, More extends object = object>(
  table: "policies" | "retention_policies",
  more?: { readonly columns: readonly (keyof Row & string)[]; read: (row: Row) => More },
): PolicyHistory<HistoricPolicy & More> {
  const columns = [
    "id",
    "name",
    "version",
    "source",
    "activated_by",
    "activated_at",
    ...(more?.columns ?? []),
  ];
  const select = `select ${columns.join(", ")} from ${table}`;
  const toPolicy = (row: HistoricRow & Row): HistoricPolicy & More => ({
    ...(more?.read(row) ?? ({} as More)),
    id: row.id,
    name: row.name,
    version: row.version,
    source: row.source,
    activatedBy: row.activated_by,
    activatedAt: row.activated_at,
  });
  return {
    async readId(db) {
      const { rows } = await db.query<{ id: number }>({
        name: `read_id_of_${table}`,
        text: `select coalesce(max(id), 0) as id from ${table}`,
      });
      return rows[0]?.id ?? 0;
    },
    async readInForce(db) {
      const { rows } = await db.query<HistoricRow & Row>(`${select} order by id desc limit 1`);
      return rows[0] && toPolicy(rows[0]);
    },
    async read(db, id) {
      const { rows } = await db.query<HistoricRow & Row>(`${select} where id = $1`, [id]);
      return rows[0] && toPolicy(rows[0]);
    },
    async list(db, { before, limit }) {
      const { rows } = await db.query<HistoricRow & Row>(
        `${select} where $1::integer is null or id < $1 order by id desc limit $2`,
        [before ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(toPolicy);
      return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
    },
    async add(tx, { name, version, source, activatedBy }) {
      await tx.query(
        `insert into ${table} (name, version, source, activated_by) values ($1, $2, $3, $4)`,
        [name, version, source, activatedBy],
      );
    },
  };
}
