import { z } from "zod";
import { EVENT_SEVERITIES } from "./events.js";

/** How one of the endpoints that events are sent to fares. */
export const webhook = z
  .object({
    name: z.string(),
    origin: z.string().describe("Scheme, host and port; the rest of its URL may be a secret"),
    severity: z.enum(EVENT_SEVERITIES).describe("The lowest that it is told of"),
    kinds: z.array(z.string()).describe("Kinds that it is told of; empty means all"),
    state: z
      .enum(["active", "failing", "disabled"])
      .describe("`disabled`: it answered 410, and is sent nothing until its URL changes"),
    last_success_at: z.iso.datetime().nullable(),
    failing_since: z.iso.datetime().nullable(),
    failures: z.int().describe("Attempts that failed since one succeeded"),
    last_error: z.string().nullable().describe("What the last of them came to"),
    backlog: z.int().describe("Events that it is still to be told of"),
    next_attempt_at: z.iso.datetime().nullable(),
    delivered: z.int().describe("Events that it has taken"),
    given_up: z.int().describe("Events that it was not told of, after the last attempt"),
  })
  .meta({ id: "Webhook" });
export type Webhook = z.infer<typeof webhook>;

/** `GET /webhooks`. */
export const webhookList = z.object({ items: z.array(webhook) }).meta({ id: "WebhookList" });
export type WebhookList = z.infer<typeof webhookList>;
