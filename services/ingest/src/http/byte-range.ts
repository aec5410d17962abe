import rangeParser from "range-parser";

export interface ByteSpan {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/**
 * The one range that `Range` asks for (RFC 9110, 14.2).
 *
 * @returns `undefined` where all is to be sent: no range, another unit, something malformed, or several
 */
export function chooseRange(
  header: string | undefined,
  size: number,
): ByteSpan | "unsatisfiable" | undefined {
  if (header === undefined || !/^bytes *=/i.test(header)) return undefined;
  if (!/^bytes *= *(?:\d+ *- *\d*|- *\d+) *$/i.test(header)) return undefined;
  const ranges = rangeParser(size, header);
  if (ranges === -2) return undefined;
  if (ranges === -1) return "unsatisfiable";
  const [range] = ranges;
  return range && { start: range.start, end: range.end };
}

/** `If-Range` (RFC 9110, 13.1.5): the range holds where it is absent or names this very tag. */
export function rangeHolds(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange.trim() === tag;
}
