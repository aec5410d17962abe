import type { Metrics } from "@sluice/runtime";
import { Counter, Gauge } from "prom-client";

/** What the watcher counts. */
export interface WatchMetrics {
  readonly file: (outcome: "uploaded" | "unchanged" | "refused" | "renamed") => void;
  /** Scripts that went to the trash with their files. */
  readonly deleted: (scripts: number) => void;
  readonly failed: (directory: string) => void;
  readonly polls: (directory: string, polling: boolean) => void;
  readonly scanned: (directory: string, files: number) => void;
}

export function createWatchMetrics({ registry }: Metrics): WatchMetrics {
  const registers = [registry];
  const files = new Counter({
    name: "sluice_watch_files_total",
    help: "Files of watched directories that were looked at, by what became of them",
    labelNames: ["outcome"],
    registers,
  });
  const errors = new Counter({
    name: "sluice_watch_errors_total",
    help: "Rounds over a watched directory that failed, and watches that broke",
    labelNames: ["directory"],
    registers,
  });
  const deleted = new Counter({
    name: "sluice_watch_deleted_scripts_total",
    help: "Scripts that went to the trash because their files in watched directories were deleted",
    registers,
  });
  const polling = new Gauge({
    name: "sluice_watch_polling",
    help: "1 where a directory is scanned often because its events cannot be had",
    labelNames: ["directory"],
    registers,
  });
  const scanned = new Gauge({
    name: "sluice_watch_last_scan_timestamp_seconds",
    help: "End of the last whole scan",
    labelNames: ["directory"],
    registers,
  });
  const seen = new Gauge({
    name: "sluice_watch_files",
    help: "Files that the last whole scan has seen",
    labelNames: ["directory"],
    registers,
  });
  return {
    file: (outcome) => files.inc({ outcome }),
    deleted: (scripts) => deleted.inc(scripts),
    failed: (directory) => errors.inc({ directory }),
    polls: (directory, is) => polling.set({ directory }, is ? 1 : 0),
    scanned: (directory, count) => {
      scanned.set({ directory }, Date.now() / 1_000);
      seen.set({ directory }, count);
    },
  };
}
