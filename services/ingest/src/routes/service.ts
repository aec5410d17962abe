import { openApiDocument, type Readiness } from "@sluice/contracts";
import { readiness } from "@sluice/runtime";
import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";
import { exposeMetrics } from "../metrics.js";

export function livez(): Route {
  return route("livez", ({ res }) => {
    res.set("Cache-Control", "no-store").json({ status: "ok" });
  });
}

/** Without the queue uploads are still taken, so that it alone does not make ingest unready. */
const DISPENSABLE = "queue";

export function readyz({ catalog, store, queue }: Dependencies): Route {
  const checks = [
    { name: "catalog", check: () => catalog.check() },
    { name: "object_store", check: () => store.check() },
    { name: DISPENSABLE, check: () => queue.check() },
  ];
  return route("readyz", async ({ res }) => {
    const { failed } = await readiness(checks);
    const isReady = failed.every(({ name }) => name === DISPENSABLE);
    const body: Readiness = {
      status: failed.length === 0 ? "ok" : isReady ? "degraded" : "unavailable",
      failed: [...failed],
    };
    res
      .status(isReady ? 200 : 503)
      .set("Cache-Control", "no-store")
      .json(body);
  });
}

export function metrics(deps: Dependencies): Route {
  return route("metrics", async ({ res }) => {
    await deps.observePipeline();
    const text = await exposeMetrics(deps.metrics, deps.metricsPeers);
    res
      .set("Cache-Control", "no-store")
      .set("Content-Type", deps.metrics.registry.contentType)
      .send(Buffer.from(text));
  });
}

export function openapi({ version }: Dependencies): Route {
  const document = Buffer.from(JSON.stringify(openApiDocument(version)));
  return route("openapi", ({ res }) => {
    res.set("Cache-Control", "no-cache").set("Content-Type", "application/json").send(document);
  });
}
