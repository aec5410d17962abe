import { type Catalog, readIndexBacklog } from "@sluice/catalog";
import type { Metrics } from "@sluice/runtime";
import { Counter, Gauge } from "prom-client";

/** Registers what the index service tells of itself, and how far the index is behind. */
export function createIndexMetrics(
  { registry }: Metrics,
  catalog: Catalog,
): { onIndexed: (versions: number) => void; onFailed: () => void } {
  const registers = [registry];
  const indexed = new Counter({
    name: "sluice_search_indexed_total",
    help: "Versions that this process has indexed",
    registers,
  });
  const failures = new Counter({
    name: "sluice_search_failures_total",
    help: "Times that a version could not be indexed, and was put off",
    registers,
  });
  const waiting = new Gauge({
    name: "sluice_search_waiting",
    help: "Versions that wait to be indexed; failing: that could not be when they were tried last",
    labelNames: ["state"],
    registers,
  });
  void new Gauge({
    name: "sluice_search_lag_seconds",
    help: "How long the version that has waited longest to be indexed has waited, in seconds",
    registers,
    async collect() {
      this.reset();
      waiting.reset();
      try {
        const backlog = await readIndexBacklog(catalog);
        waiting.set({ state: "waiting" }, backlog.waiting - backlog.failing);
        waiting.set({ state: "failing" }, backlog.failing);
        const { oldestQueuedAt: oldest } = backlog;
        this.set(oldest === undefined ? 0 : Math.max(0, (Date.now() - oldest.getTime()) / 1_000));
      } catch {
        // Of a catalog that does not answer nothing is told.
        this.remove();
      }
    },
  });
  return { onIndexed: (versions) => indexed.inc(versions), onFailed: () => failures.inc() };
}
