import type { DiskLevel } from "./setting-values.js";
import type { SettingProblem, Settings } from "./settings.js";

type DiskSettings = Pick<Settings, "diskLow" | "diskLowUntil" | "diskFull" | "diskFullUntil">;

/** What is wrong with the levels of free space as they stand to each other. */
export function diskProblems(settings: DiskSettings): readonly SettingProblem[] {
  const { diskLow, diskLowUntil, diskFull, diskFullUntil } = settings;
  return [
    ...untilProblems("DISK_LOW", diskLow, diskLowUntil),
    ...untilProblems("DISK_FULL", diskFull, diskFullUntil),
    ...(someUnit(diskLow, diskFull, (low, full) => low < full)
      ? [{ name: "DISK_FULL", message: "must not be more than DISK_LOW, which comes first" }]
      : []),
  ];
}

function untilProblems(
  name: string,
  at: DiskLevel,
  until: DiskLevel | undefined,
): readonly SettingProblem[] {
  if (until === undefined) return [];
  const sameUnits =
    (at.percent === undefined) === (until.percent === undefined) &&
    (at.bytes === undefined) === (until.bytes === undefined);
  if (!sameUnits) {
    return [
      { name: `${name}_UNTIL`, message: `must be a share or a size, or both, as ${name} is` },
    ];
  }
  return someUnit(at, until, (first, second) => first >= second)
    ? [
        {
          name: `${name}_UNTIL`,
          message: `must be more than ${name}: what is between keeps it from flapping`,
        },
      ]
    : [];
}

/** Compares what both levels have: the shares, and the sizes. */
function someUnit(
  first: DiskLevel,
  second: DiskLevel,
  wrong: (first: number, second: number) => boolean,
): boolean {
  const both = [
    [first.percent, second.percent],
    [first.bytes, second.bytes],
  ];
  return both.some(([a, b]) => a !== undefined && b !== undefined && wrong(a, b));
}
