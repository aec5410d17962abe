import { randomUUID } from "node:crypto";
import {
  type Catalog,
  keepWebhookEndpoints,
  listWebhooks,
  settleWebhookMessage,
  takeWebhookMessage,
  trimWebhookMessages,
  type WebhookOutcome,
  type WebhookState,
} from "@sluice/catalog";
import type { Logger, WebhookSettings } from "@sluice/runtime";
import { deliver } from "./deliver.js";

export interface SendWebhooksDeps {
  readonly catalog: Catalog;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly onAttempt: (webhook: string, outcome: WebhookOutcome["kind"]) => void;
}

/** Longer than an attempt may take: a janitor that dies in the middle of one leaves the message to another after that. */
const LEASE_MS = 60_000;

/** Sends an endpoint everything that is due, in the order of events. */
export async function sendWebhooks(
  endpoint: WebhookSettings,
  { catalog, log, signal, onAttempt }: SendWebhooksDeps,
): Promise<void> {
  const { name } = endpoint;
  while (!signal.aborted) {
    const token = randomUUID();
    const message = await takeWebhookMessage(catalog, { endpoint: name, token, leaseMs: LEASE_MS });
    if (message === undefined) return;
    const outcome = await deliver(endpoint, message, { signal });
    // Cut off by the shutdown: whoever takes it next tries it anew.
    if (signal.aborted && outcome.kind === "failed") return;
    await settleWebhookMessage(catalog, { endpoint: name, token, outcome });
    onAttempt(name, outcome.kind);
    tell(outcome, log.child({ webhook: name, event: message.event.id }));
  }
}

function tell(outcome: WebhookOutcome, log: Logger): void {
  if (outcome.kind === "delivered") log.debug("an event was sent");
  else if (outcome.kind === "gone") log.error("the webhook is gone and is sent nothing more");
  else if (outcome.retryMs === undefined)
    log.error({ error: outcome.error }, "an event was not sent and is given up");
  else log.warn({ error: outcome.error, retry_ms: outcome.retryMs }, "an event was not sent");
}

export interface WatchWebhooksDeps {
  readonly catalog: Catalog;
  readonly endpoints: readonly WebhookSettings[];
  readonly log: Logger;
  readonly onStates: (states: readonly WebhookState[]) => void;
  /** What an endpoint has waiting, at most: older ones are given up; 10,000 if not said. */
  readonly maxBacklog?: number;
}

/**
 * Says by which endpoints the catalog is to queue events.
 *
 * @returns a round that keeps what waits for them within bounds, and tells how they fare
 */
export function watchWebhooks({
  catalog,
  endpoints,
  log,
  onStates,
  maxBacklog = 10_000,
}: WatchWebhooksDeps): () => Promise<void> {
  let kept = false;
  return async () => {
    if (!kept) await keepWebhookEndpoints(catalog, endpoints);
    kept = true;
    for (const [webhook, messages] of await trimWebhookMessages(catalog, maxBacklog))
      log.error({ webhook, messages }, "the oldest events are given up: too many wait");
    onStates(await listWebhooks(catalog));
  };
}
