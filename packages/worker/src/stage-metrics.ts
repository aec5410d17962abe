import type { StageName } from "@sluice/pipeline";
import type { Metrics } from "@sluice/runtime";
import { Counter, Histogram } from "prom-client";

/** What a worker counts. */
export interface StageMetrics {
  began(scripts: number): void;
  observe(outcome: string, durationMs: number): void;
}

/** Registers a worker's metrics, each with a label `stage`. */
export function createStageMetrics({ registry }: Metrics, stage: StageName): StageMetrics {
  const attempts = new Counter({
    name: "sluice_stage_attempts_total",
    help: "Scripts that a worker has begun",
    labelNames: ["stage"],
    registers: [registry],
  });
  const outcomes = new Counter({
    name: "sluice_stage_outcomes_total",
    help: "How scripts fared in a stage: done, later, failed, restart, fenced_off",
    labelNames: ["stage", "outcome"],
    registers: [registry],
  });
  const durations = new Histogram({
    name: "sluice_stage_duration_seconds",
    help: "Time that a handler worked on one script",
    labelNames: ["stage"],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers: [registry],
  });
  attempts.inc({ stage }, 0);
  return {
    began: (scripts) => attempts.inc({ stage }, scripts),
    observe: (outcome, durationMs) => {
      outcomes.inc({ stage, outcome });
      durations.observe({ stage }, durationMs / 1000);
    },
  };
}
