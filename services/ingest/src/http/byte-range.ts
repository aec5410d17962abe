export interface ByteSpan {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

const ONE_RANGE = /^bytes *= *(\d*) *- *(\d*) *$/i;

/**
 * The one range that `Range` asks for (RFC 9110, 14.1.2 and 14.2).
 *
 * @param size - of the whole, in bytes
 * @returns `undefined` where all is to be sent: no range, another unit, something malformed, or several
 */
export function chooseRange(
  header: string | undefined,
  size: number,
): ByteSpan | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = ONE_RANGE.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? "unsatisfiable" : { start, end };
}

/** `If-Range` (RFC 9110, 13.1.5): the range holds where it is absent or names this very tag. */
export function rangeHolds(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange.trim() === tag;
}
