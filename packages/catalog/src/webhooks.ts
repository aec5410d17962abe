import { createHash } from "node:crypto";
import type { EventSeverity } from "@sluice/contracts";
import type { Catalog, Queryable } from "./catalog.js";
import { type EventRow, recordEvents, type RecordedEvent, toEvent } from "./events.js";

/** Somebody who is told of events. */
export interface WebhookEndpoint {
  readonly name: string;
  readonly url: string;
  /** The lowest that it is told of. */
  readonly severity: EventSeverity;
  /** Kinds that it is told of, `disk.*` being all that begin so; empty means all. */
  readonly kinds: readonly string[];
}

/**
 * Writes down whom events are sent to from now on. One that is new, or has another URL, is told of what happens from
 * here; one that is not named any more is forgotten with all that it was still to be told of.
 */
export async function keepWebhookEndpoints(
  catalog: Catalog,
  endpoints: readonly WebhookEndpoint[],
): Promise<void> {
  await catalog.transaction(async (tx) => {
    await tx.query("delete from webhook_endpoints where name <> all($1::text[])", [
      endpoints.map(({ name }) => name),
    ]);
    for (const { name, url, severity, kinds } of endpoints) {
      await tx.query(
        `insert into webhook_endpoints as e (name, url_hash, origin, severity, kinds)
         values ($1, $2, $3, $4, $5)
         on conflict (name) do update set origin = excluded.origin, severity = excluded.severity,
           kinds = excluded.kinds, url_hash = excluded.url_hash,
           disabled_at = case when e.url_hash = excluded.url_hash then e.disabled_at end,
           resume_at = case when e.url_hash = excluded.url_hash then e.resume_at else now() end`,
        [
          name,
          createHash("sha256").update(url).digest("hex"),
          new URL(url).origin,
          severity,
          kinds.map(toLike),
        ],
      );
    }
  });
}

function toLike(pattern: string): string {
  return pattern.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll("*", "%");
}

/** One event for one endpoint. */
export interface WebhookMessage {
  /** The same at every attempt. */
  readonly messageId: string;
  readonly event: RecordedEvent;
  /** Those before this one, all of which failed. */
  readonly attempts: number;
  /** Attempts of any message of this endpoint that failed since one succeeded. */
  readonly endpointFailures: number;
}

interface Sending {
  readonly endpoint: string;
  /** Tells this attempt from any other. */
  readonly token: string;
}

/** Takes the oldest message that is due at an endpoint, for so long; `undefined` where there is none. */
export async function takeWebhookMessage(
  db: Queryable,
  { endpoint, token, leaseMs }: Sending & { readonly leaseMs: number },
): Promise<WebhookMessage | undefined> {
  const { rows } = await db.query<
    EventRow & { message_id: string; attempts: number; failures: number }
  >(
    `with due as (
       select m.endpoint, m.event_id, e.failures from webhook_messages m
         join webhook_endpoints e on e.name = m.endpoint
       where m.endpoint = $1 and m.next_attempt_at <= now() and e.resume_at <= now()
         and e.disabled_at is null and (m.leased_until is null or m.leased_until < now())
       order by m.event_id limit 1 for update of m skip locked
     ), taken as (
       update webhook_messages m set lease_token = $2, leased_until = now() + $3 * interval '1 ms'
       from due where m.endpoint = due.endpoint and m.event_id = due.event_id
       returning m.event_id, m.message_id, m.attempts, due.failures
     )
     select t.message_id, t.attempts, t.failures, e.id::float8 as id, e.at, e.severity, e.kind, e.message, e.script_id,
       e.sha256, e.details
     from taken t join events e on e.id = t.event_id`,
    [endpoint, token, leaseMs],
  );
  const row = rows[0];
  return (
    row && {
      messageId: row.message_id,
      attempts: row.attempts,
      endpointFailures: row.failures,
      event: toEvent(row),
    }
  );
}

/** How an attempt ended. */
export type WebhookOutcome =
  | { readonly kind: "delivered" }
  /** Tried again after so long; `undefined` gives the message up. */
  | {
      readonly kind: "failed";
      readonly error: string;
      readonly retryMs: number | undefined;
      /** How long the endpoint is left alone, whatever else it is to be told. */
      readonly restMs: number;
    }
  /** The endpoint says that it is no more. */
  | { readonly kind: "gone"; readonly error: string };

/** So many failures in a row are worth an event. */
export const WEBHOOK_FAILURES_TO_TELL = 3;

/** Writes down how an attempt ended; one that lost its lease in the meantime changes nothing. */
export async function settleWebhookMessage(
  catalog: Catalog,
  { endpoint, token, outcome }: Sending & { readonly outcome: WebhookOutcome },
): Promise<void> {
  await catalog.transaction(async (tx) => {
    const { rows } = await tx.query<{ event_id: string }>(
      "select event_id from webhook_messages where endpoint = $1 and lease_token = $2 for update",
      [endpoint, token],
    );
    const eventId = rows[0]?.event_id;
    if (eventId === undefined) return;
    if (outcome.kind === "delivered") await delivered(tx, endpoint, eventId);
    else if (outcome.kind === "gone") await gone(tx, endpoint, outcome.error);
    else await failed(tx, endpoint, eventId, outcome);
  });
}

async function forget(tx: Queryable, endpoint: string, eventId: string): Promise<void> {
  await tx.query("delete from webhook_messages where endpoint = $1 and event_id = $2", [
    endpoint,
    eventId,
  ]);
}

async function delivered(tx: Queryable, endpoint: string, eventId: string): Promise<void> {
  await forget(tx, endpoint, eventId);
  const { rows } = await tx.query<{ before: number }>(
    `with held as (select name, failures from webhook_endpoints where name = $1 for no key update)
     update webhook_endpoints e set delivered = e.delivered + 1, last_success_at = now(), failures = 0,
       failing_since = null, last_error = null, resume_at = now()
     from held where e.name = held.name returning held.failures as before`,
    [endpoint],
  );
  if ((rows[0]?.before ?? 0) < WEBHOOK_FAILURES_TO_TELL) return;
  const message = `The webhook ${endpoint} takes events again.`;
  await recordEvents(tx, [
    { severity: "info", kind: "webhook.recovered", message, details: { webhook: endpoint } },
  ]);
}

async function failed(
  tx: Queryable,
  endpoint: string,
  eventId: string,
  { error, retryMs, restMs }: Extract<WebhookOutcome, { kind: "failed" }>,
): Promise<void> {
  if (retryMs === undefined) {
    await forget(tx, endpoint, eventId);
  } else {
    await tx.query(
      `update webhook_messages set attempts = attempts + 1, lease_token = null, leased_until = null,
         next_attempt_at = now() + $3 * interval '1 ms'
       where endpoint = $1 and event_id = $2`,
      [endpoint, eventId, retryMs],
    );
  }
  const { rows } = await tx.query<{ failures: number }>(
    `update webhook_endpoints set failures = failures + 1, failing_since = coalesce(failing_since, now()),
       last_error = $2, resume_at = now() + $3 * interval '1 ms', given_up = given_up + $4
     where name = $1 returning failures`,
    [endpoint, error, restMs, retryMs === undefined ? 1 : 0],
  );
  if (rows[0]?.failures !== WEBHOOK_FAILURES_TO_TELL) return;
  const message = `The webhook ${endpoint} has failed ${WEBHOOK_FAILURES_TO_TELL} times in a row: ${error}`;
  await recordEvents(tx, [
    { severity: "warning", kind: "webhook.failing", message, details: { webhook: endpoint } },
  ]);
}

async function gone(tx: Queryable, endpoint: string, error: string): Promise<void> {
  await tx.query(
    `update webhook_endpoints set disabled_at = now(), last_error = $2, failures = failures + 1,
       failing_since = coalesce(failing_since, now()) where name = $1`,
    [endpoint, error],
  );
  await tx.query("delete from webhook_messages where endpoint = $1", [endpoint]);
  const message = `The webhook ${endpoint} says that it is gone (410): it is sent nothing until its URL changes.`;
  await recordEvents(tx, [
    { severity: "warning", kind: "webhook.disabled", message, details: { webhook: endpoint } },
  ]);
}

/**
 * Gives up the oldest messages of endpoints that have more than so many.
 *
 * @returns how many, by endpoint
 */
export async function trimWebhookMessages(
  db: Queryable,
  limit: number,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ name: string; trimmed: number }>(
    `with cut as (
       select e.name, (select m.event_id from webhook_messages m where m.endpoint = e.name
         order by m.event_id desc offset $1 limit 1) as event_id
       from webhook_endpoints e
     ), gone as (
       delete from webhook_messages m using cut
       where m.endpoint = cut.name and m.event_id <= cut.event_id returning m.endpoint
     ), counted as (select endpoint, count(*)::int as trimmed from gone group by endpoint)
     update webhook_endpoints e set given_up = e.given_up + counted.trimmed
     from counted where e.name = counted.endpoint returning e.name, counted.trimmed`,
    [limit],
  );
  return new Map(rows.map(({ name, trimmed }) => [name, trimmed]));
}

/** How an endpoint fares. */
export interface WebhookState {
  readonly name: string;
  readonly origin: string;
  readonly severity: EventSeverity;
  readonly kinds: readonly string[];
  readonly failures: number;
  readonly failingSince: Date | undefined;
  readonly lastError: string | undefined;
  readonly lastSuccessAt: Date | undefined;
  readonly disabledAt: Date | undefined;
  readonly delivered: number;
  readonly givenUp: number;
  /** What it is still to be told of, and when the next attempt is due. */
  readonly backlog: number;
  readonly nextAttemptAt: Date | undefined;
}

/** Every endpoint, by name. */
export async function listWebhooks(db: Queryable): Promise<WebhookState[]> {
  const { rows } = await db.query<StateRow>(
    `select e.name, origin, severity, kinds, failures, failing_since, last_error, last_success_at, disabled_at,
       delivered::float8 as delivered, given_up::float8 as given_up, count(m.event_id)::int as backlog,
       greatest(min(m.next_attempt_at), case when count(m.event_id) > 0 then resume_at end) as next_attempt_at
     from webhook_endpoints e left join webhook_messages m on m.endpoint = e.name
     group by e.name order by e.name`,
  );
  return rows.map((row) => ({
    name: row.name,
    origin: row.origin,
    severity: row.severity,
    kinds: row.kinds.map(fromLike),
    failures: row.failures,
    failingSince: row.failing_since ?? undefined,
    lastError: row.last_error ?? undefined,
    lastSuccessAt: row.last_success_at ?? undefined,
    disabledAt: row.disabled_at ?? undefined,
    delivered: row.delivered,
    givenUp: row.given_up,
    backlog: row.backlog,
    nextAttemptAt: row.next_attempt_at ?? undefined,
  }));
}

function fromLike(pattern: string): string {
  return pattern.replaceAll(/\\(.)|%/g, (_, escaped: string | undefined) => escaped ?? "*");
}

interface StateRow {
  name: string;
  origin: string;
  severity: EventSeverity;
  kinds: string[];
  failures: number;
  failing_since: Date | null;
  last_error: string | null;
  last_success_at: Date | null;
  disabled_at: Date | null;
  delivered: number;
  given_up: number;
  backlog: number;
  next_attempt_at: Date | null;
}
