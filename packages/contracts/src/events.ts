import { z } from "zod";

export const EVENT_SEVERITIES = ["info", "warning", "critical"] as const;
export type EventSeverity = (typeof EVENT_SEVERITIES)[number];

/** What operators are told of. A kind is a promise: it is never renamed and never means something else. */
export const EVENT_KINDS = [
  /** A task of the janitor has failed several times in a row. */
  "maintenance.failing",
  /** It has succeeded again. */
  "maintenance.recovered",
  /** Clean-up by the retention policy has stopped: more would go than its brakes allow, or the clock has jumped. */
  "retention.paused",
  /** It goes on: somebody has confirmed it, or the clock is right again. */
  "retention.resumed",
  /** Scripts and versions are gone from the trash for good. */
  "trash.purged",
  /** Bytes of what is no Python, or malware, were kept for long enough and are gone; what was found out about them stays. */
  "quarantine.expired",
  /** The catalog and the objects were restored from the backup store. */
  "catalog.restored",
  /** The catalog was made again from the object store alone. */
  "catalog.rebuilt",
  /** Objects that no row refers to were deleted, as crashes leave them. */
  "object.orphans_deleted",
  /** The description (`metadata.json`) beside a blob is not what the catalog says, or not there. */
  "object.damaged",
  "object.missing",
  /** It was written anew from the catalog. */
  "object.repaired",
  /** Something lies in a store that is none of its objects. */
  "object.unknown",
  /** The bytes of a blob are not what their hash says, or not there. */
  "blob.damaged",
  "blob.missing",
  /** They are good again. */
  "blob.repaired",
  /** No copy gives them back. */
  "blob.unrepairable",
  /** The same of the copy in the backup store, or of a version's manifest there. */
  "backup.damaged",
  "backup.missing",
  "backup.repaired",
  "backup.unrepairable",
  /** The scrub does not go on: so much is missing that the wrong volume seems to be mounted. */
  "scrub.halted",
  /** A store has little room left. */
  "disk.low",
  /** It has none: uploads are refused, where it holds them up. */
  "disk.full",
  /** It is not full any more, or not low: `details.state` says which. */
  "disk.recovered",
  /** A watched directory cannot be followed by events any more and is scanned often instead. */
  "watch.polling",
  /** A watched directory is gone or cannot be read. */
  "watch.missing",
  /** It is there again. */
  "watch.found",
  /** So many files of a watched directory are gone at once that no script is deleted for it. */
  "watch.deletions_halted",
  /** Names in a watched directory differ in upper and lower case alone. They are kept apart; other systems take them for one. */
  "watch.case_twins",
  /** An endpoint that events are sent to has failed several times in a row. */
  "webhook.failing",
  /** It takes them again. */
  "webhook.recovered",
  /** It has answered that it is gone, and is sent nothing more. */
  "webhook.disabled",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** One thing that happened. */
export const event = z
  .object({
    id: z.int().describe("Grows from event to event"),
    at: z.iso.datetime(),
    severity: z.enum(EVENT_SEVERITIES),
    kind: z.enum(EVENT_KINDS),
    message: z.string(),
    script_id: z.uuid().nullable().describe("It may be deleted since"),
    sha256: z.string().nullable().describe("Of the bytes it is about"),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Event" });
export type Event = z.infer<typeof event>;

/** `GET /events`. */
export const eventList = z
  .object({
    items: z.array(event),
    next_cursor: z.string().nullable().describe("`null` on the last page"),
  })
  .meta({ id: "EventList" });
export type EventList = z.infer<typeof eventList>;
