import type { Queryable } from "./catalog.js";

/** How a request with an `Idempotency-Key` stands to the one that first had it. */
export type Claim =
  /** Nobody had it, or whoever did is gone: go on, and register with it or release it. */
  | { readonly kind: "new" }
  /** The same request was answered: answer alike, by what was recorded then. */
  | { readonly kind: "replay"; readonly recorded: unknown }
  /** Another request had this key. */
  | { readonly kind: "mismatch" }
  /** The same request is under way. */
  | { readonly kind: "in_progress" };

/** A claim whose holder died is free again after this, in seconds: longer than any request may take. */
export const CLAIM_SECONDS = 120;

/** One request's hold on a key. */
export interface Held {
  readonly key: string;
  /** A UUID of this request alone. */
  readonly holder: string;
}

/**
 * Claims a key before the work that it protects.
 *
 * @param fingerprint - a hash of all that makes the request what it is
 */
export async function claimIdempotencyKey(
  db: Queryable,
  { key, holder, fingerprint }: Held & { fingerprint: string },
): Promise<Claim> {
  const claimed = await db.query(
    `insert into idempotency_keys as k (key, fingerprint, claimed_until, holder)
     values ($1, $2, now() + make_interval(secs => $3), $4)
     on conflict (key) do update
       set fingerprint = excluded.fingerprint, claimed_until = excluded.claimed_until, holder = excluded.holder
       where k.response is null and k.claimed_until < now()`,
    [key, fingerprint, CLAIM_SECONDS, holder],
  );
  if (claimed.rowCount === 1) return { kind: "new" };

  const { rows } = await db.query<{ fingerprint: string; response: unknown }>(
    "select fingerprint, response from idempotency_keys where key = $1",
    [key],
  );
  const held = rows[0];
  // Its holder released it since the insert; the caller's own retry will find it free.
  if (held === undefined) return { kind: "in_progress" };
  if (held.fingerprint !== fingerprint) return { kind: "mismatch" };
  if (held.response === null) return { kind: "in_progress" };
  return { kind: "replay", recorded: held.response };
}

/** Records what the key's later requests are answered, in the transaction of the work itself. */
export async function answerIdempotencyKey(
  tx: Queryable,
  { key, fingerprint }: { key: string; fingerprint: string },
  answer: object,
): Promise<void> {
  await tx.query(
    `insert into idempotency_keys (key, fingerprint, response) values ($1, $2, $3)
     on conflict (key) do update set response = excluded.response, claimed_until = null
       where idempotency_keys.fingerprint = excluded.fingerprint`,
    [key, fingerprint, JSON.stringify(answer)],
  );
}

/** Gives claimed keys back after requests that made nothing; those that others hold by now stay theirs. */
export async function releaseIdempotencyKeys(db: Queryable, held: readonly Held[]): Promise<void> {
  await db.query(
    `delete from idempotency_keys k using unnest($1::text[], $2::uuid[]) as mine (key, holder)
     where k.key = mine.key collate "C" and k.holder = mine.holder and k.response is null`,
    [held.map(({ key }) => key), held.map(({ holder }) => holder)],
  );
}

/** Forgets keys older than that. @returns how many */
export async function expireIdempotencyKeys(db: Queryable, olderThan: Date): Promise<number> {
  const { rowCount } = await db.query("delete from idempotency_keys where created_at < $1", [
    olderThan,
  ]);
  return rowCount ?? 0;
}
