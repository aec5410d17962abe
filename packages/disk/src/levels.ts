import type { StorageState, StorageSteps } from "@sluice/contracts";
import type { DiskLevel, Settings } from "@sluice/runtime";
import type { Room } from "./room.js";

/** The levels at which a store changes its state, as the settings have them. */
export interface Levels {
  readonly low: DiskLevel;
  readonly lowUntil: DiskLevel;
  readonly full: DiskLevel;
  readonly fullUntil: DiskLevel;
}

/** The same in bytes and inodes of one file system: `full` ≤ `low`, and each at most its `Until`. */
export interface Thresholds {
  readonly bytes: StorageSteps;
  readonly inodes: StorageSteps;
}

export function levelsOf(
  settings: Pick<Settings, "diskLow" | "diskLowUntil" | "diskFull" | "diskFullUntil">,
): Levels {
  const { diskLow: low, diskFull: full } = settings;
  return {
    low,
    lowUntil: settings.diskLowUntil ?? halfAsMuchAgain(low),
    full,
    fullUntil: settings.diskFullUntil ?? halfAsMuchAgain(full),
  };
}

function halfAsMuchAgain({ percent, bytes }: DiskLevel): DiskLevel {
  return {
    percent: percent === undefined ? undefined : Math.min(percent * 1.5, 100),
    bytes: bytes === undefined ? undefined : bytes * 1.5,
  };
}

/** Inodes have no size to be given in: of a level that is one, the share that is the default. */
const INODES: Levels = {
  low: { percent: 10, bytes: undefined },
  lowUntil: { percent: 15, bytes: undefined },
  full: { percent: 3, bytes: undefined },
  fullUntil: { percent: 4.5, bytes: undefined },
};

export function thresholdsOf(levels: Levels, { totalBytes, totalInodes }: Room): Thresholds {
  const inodes = (step: keyof Levels): number =>
    (totalInodes * (levels[step].percent ?? INODES[step].percent ?? 0)) / 100;
  const bytes = (step: keyof Levels): number => {
    const { percent, bytes: most = Number.POSITIVE_INFINITY } = levels[step];
    return Math.round(Math.min(percent === undefined ? most : (totalBytes * percent) / 100, most));
  };
  return { bytes: inOrder(bytes), inodes: inOrder((step) => Math.round(inodes(step))) };
}

/** Levels in different units may cross on a disk of a certain size: the stricter one then holds for both. */
function inOrder(of: (step: keyof Levels) => number): StorageSteps {
  const full = of("full");
  const low = Math.max(of("low"), full);
  return {
    full,
    fullUntil: Math.max(of("fullUntil"), full),
    low,
    lowUntil: Math.max(of("lowUntil"), low),
  };
}

/** The state that follows: a level is left only where there is clearly more room than where it was entered. */
export function nextState(before: StorageState, room: Room, thresholds: Thresholds): StorageState {
  const { freeBytes, freeInodes, totalInodes } = room;
  const ofBytes = stateOf(before, freeBytes, thresholds.bytes);
  const ofInodes = totalInodes === 0 ? "ok" : stateOf(before, freeInodes, thresholds.inodes);
  return worse(ofBytes, ofInodes);
}

function stateOf(before: StorageState, free: number, steps: StorageSteps): StorageState {
  if (free < steps.full || (before === "full" && free < steps.fullUntil)) return "full";
  if (free < steps.low || (before !== "ok" && free < steps.lowUntil)) return "low";
  return "ok";
}

const ORDER: readonly StorageState[] = ["ok", "low", "full"];

export function worse(a: StorageState, b: StorageState): StorageState {
  return ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b;
}
