/** Durations, sizes and shares as policies write them: a number and its unit. */
import { z } from "zod";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A year has 365 days; there are no months, which are of no one length. */
const DURATION_UNITS = {
  min: MINUTE_MS,
  h: 60 * MINUTE_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
  y: 365 * DAY_MS,
} as const;

/** Decimal ones as of SI, binary ones as of IEC 80000-13. */
const SIZE_UNITS = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

const LONGEST_MS = 1_000 * DURATION_UNITS.y;

/** A duration such as `90d`, in milliseconds. */
export const duration = quantity(DURATION_UNITS, {
  most: LONGEST_MS,
  error: "must be a duration above 0 such as 90d: a number with min, h, d, w or y, at most 1000y",
});

/** A size such as `10GB`, in bytes. */
export const size = quantity(SIZE_UNITS, {
  most: Number.MAX_SAFE_INTEGER,
  error:
    "must be a size above 0 such as 10GB: a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB",
});

/** A share such as `5%`, as a number from 0 to 1. */
export const share = z
  .string({ error: "must be a share such as 5%" })
  .refine((text) => /^\d{1,3}(?:\.\d{1,3})?%$/.test(text), "must be a share such as 5%")
  .transform((text) => Number(text.slice(0, -1)) / 100)
  .refine((value) => value <= 1, "must be 100% at most");

function quantity(
  units: Readonly<Record<string, number>>,
  { most, error }: { readonly most: number; readonly error: string },
) {
  const parse = (text: string): number => {
    const [, number, unit] = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]+)$/.exec(text) ?? [];
    const factor = unit !== undefined && Object.hasOwn(units, unit) ? units[unit] : undefined;
    return factor === undefined ? Number.NaN : Math.round(Number(number) * factor);
  };
  return z
    .string({ error })
    .transform(parse)
    .refine((value) => value > 0 && value <= most, error);
}
