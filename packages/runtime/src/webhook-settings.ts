import { EVENT_KINDS, EVENT_SEVERITIES, type EventSeverity } from "@sluice/contracts";
import { z } from "zod";

/** Somebody who is sent events. */
export interface WebhookSettings {
  /** What the API, the log and the metrics call it. */
  readonly name: string;
  readonly url: string;
  /** Each signs; `whsec_` and base64. */
  readonly secrets: readonly string[];
  /** The lowest severity that it is told of. */
  readonly severity: EventSeverity;
  /** Kinds that it is told of, `disk.*` being all that begin so; empty means all. */
  readonly kinds: readonly string[];
}

/** The Standard Webhooks specification: 24 to 64 bytes. */
const WEBHOOK_SECRET = /^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MAX_WEBHOOKS = 20;

function isWebhookSecret(text: string): boolean {
  if (!WEBHOOK_SECRET.test(text)) return false;
  const { length } = Buffer.from(text.slice("whsec_".length), "base64");
  return length >= 24 && length <= 64;
}

function isEventKind(pattern: string): boolean {
  return pattern.endsWith(".*")
    ? EVENT_KINDS.some((kind) => kind.startsWith(pattern.slice(0, -1)))
    : EVENT_KINDS.some((kind) => kind === pattern);
}

/** What is no word may be a secret in the wrong place. */
function unknownMembers(keys: readonly string[]): string {
  return `has ${keys.map((key) => (/^[a-z]{1,20}$/i.test(key) ? key : "a member with another name")).join(" and ")}`;
}

// What is wrong is told by these words: none of them may hold a value.
const webhookList = z
  .array(
    z.strictObject(
      {
        name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, {
          error: "must be lower-case letters, digits and hyphens, 32 at most",
        }),
        url: z.string().refine(
          (text) => {
            if (!URL.canParse(text)) return false;
            const { protocol, username, password } = new URL(text);
            return /^https?:$/.test(protocol) && username + password === "";
          },
          { error: "must be an http or https URL without user name and password" },
        ),
        secrets: z
          .array(
            z.string().refine(isWebhookSecret, {
              error: "must be whsec_ and 24 to 64 bytes in base64",
            }),
          )
          .min(1)
          .max(5),
        severity: z.enum(EVENT_SEVERITIES).default("warning"),
        kinds: z
          .array(
            z
              .string()
              .refine(isEventKind, { error: "must be a kind of events, or its beginning and .*" }),
          )
          .default([]),
      },
      {
        error: ({ code, keys }) =>
          code === "unrecognized_keys"
            ? `${unknownMembers(keys)}: it may have name, url, secrets, severity and kinds only`
            : "must have name, url, secrets and, if wished for, severity and kinds",
      },
    ),
  )
  .max(MAX_WEBHOOKS)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
    error: "must not have a name twice",
    path: ["name"],
  });

/** A JSON list of {@link WebhookSettings}. */
export const webhooks: z.ZodType<WebhookSettings[], string> = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: "custom", message: "is no JSON" });
      return z.NEVER;
    }
  })
  .pipe(webhookList as z.ZodType<WebhookSettings[]>);
