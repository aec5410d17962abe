import { type Catalog, type IndexBacklog, readIndexBacklog } from "@sluice/catalog";
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
  // Gauges are collected at the same time, none before the others: one look is for all of them.
  let looking: Promise<IndexBacklog> | undefined;
  const look = (): Promise<IndexBacklog> => {
    looking ??= readIndexBacklog(catalog).finally(() => {
      looking = undefined;
    });
    return looking;
  };
  void new Gauge({
    name: "sluice_search_waiting",
    help: "Versions that wait to be indexed; failing: that could not be when they were tried last",
    labelNames: ["state"],
    registers,
    async collect() {
      this.reset();
      try {
        const { waiting, failing } = await look();
        this.set({ state: "waiting" }, waiting - failing);
        this.set({ state: "failing" }, failing);
      } catch {
        // Of a catalog that does not answer nothing is told.
      }
    },
  });
  void new Gauge({
    name: "sluice_search_lag_seconds",
    help: "How long the version that has waited longest to be indexed has waited, in seconds",
    registers,
    async collect() {
      this.reset();
      try {
        const { oldestQueuedAt: oldest } = await look();
        this.set(oldest === undefined ? 0 : Math.max(0, (Date.now() - oldest.getTime()) / 1_000));
      } catch {
        this.remove();
      }
    },
  });
  return { onIndexed: (versions) => indexed.inc(versions), onFailed: () => failures.inc() };
}
