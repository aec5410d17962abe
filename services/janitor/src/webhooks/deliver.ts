/**
 * One attempt to deliver one message, as the Standard Webhooks specification has it: signed over id, time and body, no
 * redirect followed, 2xx and nothing else a success, 410 the end of the endpoint.
 */
import type { RecordedEvent, WebhookMessage, WebhookOutcome } from "@sluice/catalog";
import type { WebhookSettings } from "@sluice/runtime";
import { Webhook } from "standardwebhooks";
import { restMs, retryMs } from "./backoff.js";

/** The specification: 15 to 30 s. */
const TIMEOUT_MS = 15_000;
/** The specification: payloads are best below 20 kB. */
const MAX_BODY_BYTES = 20_000;
const MAX_MESSAGE = 2_000;
const MAX_ERROR = 300;

/** What is sent, the same at every attempt. */
export function toPayload({ id, at, severity, kind, ...rest }: RecordedEvent): string {
  const payload = (message: string, details: object): string =>
    JSON.stringify({
      type: kind,
      timestamp: at.toISOString(),
      data: {
        id,
        severity,
        message,
        script_id: rest.scriptId ?? null,
        sha256: rest.sha256 ?? null,
        details,
      },
    });
  const whole = payload(rest.message, rest.details);
  return Buffer.byteLength(whole) <= MAX_BODY_BYTES
    ? whole
    : payload(rest.message.slice(0, MAX_MESSAGE), { truncated: true });
}

/**
 * The headers that prove who sent a message and when.
 *
 * @param secrets - each gives a signature, so that receivers may change from one to the next
 * @param at - of this attempt
 */
export function toHeaders(
  secrets: readonly string[],
  { id, at, body }: { id: string; at: Date; body: string },
): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(" "),
  };
}

/** Sends a message once. Never throws; errors it tells of hold neither the secret nor what follows the URL's host. */
export async function deliver(
  { url, secrets }: Pick<WebhookSettings, "url" | "secrets">,
  { messageId, event, attempts, endpointFailures }: WebhookMessage,
  { signal, timeoutMs = TIMEOUT_MS }: { signal: AbortSignal; timeoutMs?: number },
): Promise<WebhookOutcome> {
  const failed = (error: string, atLeastMs = 0): WebhookOutcome => {
    const after = retryMs(attempts + 1);
    return {
      kind: "failed",
      error: error.slice(0, MAX_ERROR),
      retryMs: after && Math.max(after, atLeastMs),
      restMs: Math.max(restMs(endpointFailures + 1), atLeastMs),
    };
  };
  const body = toPayload(event);
  try {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "user-agent": "Sluice",
        ...toHeaders(secrets, { id: `msg_${messageId}`, at: new Date(), body }),
      },
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    // Whatever it says beyond its status is of no use, and may be without end.
    await response.body?.cancel();
    if (response.ok) return { kind: "delivered" };
    if (response.status === 410) return { kind: "gone", error: "it answered 410" };
    const redirect = response.status >= 300 && response.status < 400;
    return failed(
      `it answered ${response.status}${redirect ? ", a redirect, which is not followed" : ""}`,
      retryAfterMs(response.headers.get("retry-after")),
    );
  } catch (error) {
    return failed(reasonOf(error));
  }
}

const MAX_RETRY_AFTER_S = 3_600;

/** Only the form in seconds; dates are of clocks that nobody has compared. */
function retryAfterMs(header: string | null): number {
  return /^\d{1,9}$/.test(header ?? "") ? Math.min(Number(header), MAX_RETRY_AFTER_S) * 1_000 : 0;
}

/** What `fetch` throws says "fetch failed" and has the reason beneath it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "it could not be reached";
  if (error.name === "TimeoutError") return "no answer in time";
  const cause: unknown = error.cause;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error)
    return cause.errors[0].message;
  if (!(cause instanceof Error)) return error.message;
  const code = "code" in cause && typeof cause.code === "string" ? `${cause.code}: ` : "";
  return cause.message.startsWith(code) ? cause.message : `${code}${cause.message}`;
}
