import type { Metrics } from "@sluice/runtime";
import { Gauge } from "prom-client";
import type { WatchedStore } from "./watched-store.js";

const STATES = { ok: 0, low: 1, full: 2 } as const;

/** Registers what is told of the stores that this process sees. @returns what sets it anew for one */
export function createStorageMetrics(
  { registry }: Metrics,
  isOpen: () => boolean,
): (store: WatchedStore) => void {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ["store"], registers: [registry] });
  const state = gauge("sluice_storage_state", "Room of a store: 0 ok, 1 low, 2 full");
  const sizes = [
    ["freeBytes", gauge("sluice_storage_free_bytes", "Free bytes on a store's file system")],
    ["totalBytes", gauge("sluice_storage_total_bytes", "Bytes of a store's file system")],
    ["freeInodes", gauge("sluice_storage_free_inodes", "Free inodes on a store's file system")],
    [
      "totalInodes",
      gauge(
        "sluice_storage_total_inodes",
        "Inodes of a store's file system; 0: made as they are needed",
      ),
    ],
  ] as const;
  void new Gauge({
    name: "sluice_intake_open",
    help: "1 where uploads are taken, 0 where they are refused for want of room",
    registers: [registry],
    collect() {
      this.set(isOpen() ? 1 : 0);
    },
  });
  return (store) => {
    const label = { store: store.name };
    state.set(label, STATES[store.state]);
    for (const [size, gauged] of sizes) {
      const value = store.room?.[size];
      // Of what cannot be seen nothing is told, rather than what it was.
      if (value === undefined) gauged.remove(label);
      else gauged.set(label, value);
    }
  };
}
