import { openApiDocument, type Readiness } from "@sluice/contracts";
import { StoreFullError } from "@sluice/object-store";
import { type Check, readiness } from "@sluice/runtime";
import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";
import { exposeMetrics } from "../metrics.js";

export function livez(): Route {
  return route("livez", ({ res }) => {
    res.set("Cache-Control", "no-store").json({ status: "ok" });
  });
}

export function readyz({ catalog, store, queue, intake }: Dependencies): Route {
  const checks: Check[] = [
    { name: "catalog", check: () => catalog.check() },
    // Uploads are refused where it is full, one by one; whoever reads is served.
    {
      name: "object_store",
      check: () => store.check(),
      tolerates: (error) => error instanceof StoreFullError,
    },
    { name: "storage", check: async () => intake.assertOpen(), tolerates: () => true },
    // Without the queue uploads are still taken.
    { name: "queue", check: () => queue.check(), tolerates: () => true },
  ];
  return route("readyz", async ({ res }) => {
    const { status, failed } = await readiness(checks);
    const body: Readiness = { status, failed: [...failed] };
    res
      .status(status === "unavailable" ? 503 : 200)
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
