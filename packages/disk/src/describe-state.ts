import type { SeenStorage } from "@sluice/catalog";
import type { StorageState } from "@sluice/contracts";

/** One sentence for a person. */
export function describeState(name: string, state: StorageState, seen: SeenStorage): string {
  const { refusal } = seen;
  const why = state === "full" && refusal !== undefined ? `: ${refusal}` : "";
  return `${name} ${said(state, seen)} (${roomOf(seen)})${why}.`;
}

function said(state: StorageState, { holdsIntake }: SeenStorage): string {
  switch (state) {
    case "ok":
      return "has enough room again";
    case "low":
      return "has little room left";
    case "full":
      return holdsIntake ? "is full: uploads are refused" : "is full: uploads are taken, and wait";
  }
}

/** What is free, in words that tell nothing of where the store is. */
export function roomOf(seen: SeenStorage): string {
  const { freeBytes, totalBytes, freeInodes, totalInodes, thresholds, refusal } = seen;
  if (freeBytes === undefined || totalBytes === undefined) {
    return refusal === undefined ? "it does not say how much is free" : "it takes no writes";
  }
  const bytes = `${sizeOf(freeBytes)} of ${sizeOf(totalBytes)} free`;
  const scarce = freeInodes !== undefined && freeInodes < (thresholds?.inodes.lowUntil ?? 0);
  return scarce ? `${bytes}, ${freeInodes} of ${totalInodes} inodes` : bytes;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

function sizeOf(bytes: number): string {
  const unit = Math.min(bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
  const value = bytes / 1_000 ** unit;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
