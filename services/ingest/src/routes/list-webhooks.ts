import { listWebhooks } from "@sluice/catalog";
import type { WebhookList } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";

export function listWebhookEndpoints({ catalog }: Dependencies): Route {
  return route("listWebhooks", async ({ res }) => {
    const body: WebhookList = {
      items: (await listWebhooks(catalog)).map((webhook) => ({
        name: webhook.name,
        origin: webhook.origin,
        severity: webhook.severity,
        kinds: [...webhook.kinds],
        state:
          webhook.disabledAt !== undefined
            ? "disabled"
            : webhook.failures > 0
              ? "failing"
              : "active",
        last_success_at: webhook.lastSuccessAt?.toISOString() ?? null,
        failing_since: webhook.failingSince?.toISOString() ?? null,
        failures: webhook.failures,
        last_error: webhook.lastError ?? null,
        backlog: webhook.backlog,
        next_attempt_at: webhook.nextAttemptAt?.toISOString() ?? null,
        delivered: webhook.delivered,
        given_up: webhook.givenUp,
      })),
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}
