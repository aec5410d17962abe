import type { EventKind, EventSeverity } from "@sluice/contracts";
import type { Queryable } from "./catalog.js";

/** Something that operators are to know of. */
export interface NewEvent {
  readonly severity: EventSeverity;
  readonly kind: EventKind;
  /** One sentence for a person. */
  readonly message: string;
  readonly scriptId?: string | undefined;
  /** Of the bytes it is about. */
  readonly sha256?: string | undefined;
  readonly details?: object | undefined;
}

export interface RecordedEvent extends NewEvent {
  /** Grows from event to event. */
  readonly id: number;
  readonly at: Date;
  readonly details: object;
}

/** Adds to the list of events; in the transaction that does what they tell of, where there is one. */
export async function recordEvents(db: Queryable, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await db.query(
    `insert into events (severity, kind, message, script_id, sha256, details)
     select severity, kind, message, script_id, sha256, details
     from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::json[])
       with ordinality as new (severity, kind, message, script_id, sha256, details, position)
     order by position`,
    [
      events.map(({ severity }) => severity),
      events.map(({ kind }) => kind),
      events.map(({ message }) => message),
      events.map(({ scriptId }) => scriptId ?? null),
      events.map(({ sha256 }) => sha256 ?? null),
      events.map(({ details }) => JSON.stringify(details ?? {})),
    ],
  );
}

export interface EventFilter {
  readonly severity?: EventSeverity | undefined;
  readonly kind?: EventKind | undefined;
  readonly scriptId?: string | undefined;
  /** From then (inclusive) on. */
  readonly since?: Date | undefined;
}

/** The events, newest first. */
export async function listEvents(
  db: Queryable,
  { filter, before, limit }: { filter: EventFilter; before?: number | undefined; limit: number },
): Promise<{ items: readonly RecordedEvent[]; next: number | undefined }> {
  const { rows } = await db.query<EventRow>(
    `select id::float8 as id, at, severity, kind, message, script_id, sha256, details from events
     where ($1::text is null or severity = $1) and ($2::text is null or kind = $2)
       and ($3::uuid is null or script_id = $3) and ($4::timestamptz is null or at >= $4)
       and ($5::bigint is null or id < $5)
     order by events.id desc limit $6`,
    [
      filter.severity ?? null,
      filter.kind ?? null,
      filter.scriptId ?? null,
      filter.since ?? null,
      before ?? null,
      limit + 1,
    ],
  );
  const items = rows.slice(0, limit).map(toEvent);
  return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
}

export interface EventRow {
  id: number;
  at: Date;
  severity: EventSeverity;
  kind: EventKind;
  message: string;
  script_id: string | null;
  sha256: string | null;
  details: object;
}

export function toEvent(row: EventRow): RecordedEvent {
  const { id, at, severity, kind, message, details } = row;
  return {
    id,
    at,
    severity,
    kind,
    message,
    scriptId: row.script_id ?? undefined,
    sha256: row.sha256 ?? undefined,
    details,
  };
}
