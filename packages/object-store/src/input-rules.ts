import { type ByteRange, InvalidKeyError } from "./object-store.js";

/** MinIO stores a key as a path and S3 takes 1,024 bytes; this leaves room for a data directory before it. */
const MAX_KEY_BYTES = 900;
/** The longest file name of the common file systems. */
const MAX_SEGMENT_BYTES = 255;
/** A leading dot is kept for the stores' own files, and rules out `.` and `..`. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/**
 * Holds a key to what every store takes: segments of ASCII letters, digits, `.`, `_` and `-`, none of
 * them empty or with a leading dot, between slashes.
 *
 * @throws {@link InvalidKeyError}
 */
export function assertKey(key: string): void {
  const wrong = wrongWithKey(key);
  if (wrong !== undefined) throw new InvalidKeyError(`object key ${show(key)} ${wrong}`);
}

/** Says whether a store may hold an object of that name. */
export function isKey(name: string): boolean {
  return wrongWithKey(name) === undefined;
}

/**
 * Holds a prefix to the beginning of a valid key; empty is every key.
 *
 * @throws {@link InvalidKeyError}
 */
export function assertPrefix(prefix: string): void {
  if (prefix === "") return;
  const wrong = wrongWithKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
  if (wrong !== undefined) throw new InvalidKeyError(`key prefix ${show(prefix)} ${wrong}`);
}

/** @throws RangeError where an end is negative or no whole number */
export function assertRange({ offset, length }: ByteRange): void {
  const isCount = (number: number) => Number.isSafeInteger(number) && number >= 0;
  if (isCount(offset) && isCount(length)) return;
  throw new RangeError(`no range of bytes: offset ${offset}, length ${length}`);
}

function wrongWithKey(key: string): string | undefined {
  if (key === "") return "is empty";
  if (key.length > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  for (const segment of key.split("/")) {
    if (segment === "") return "has an empty segment";
    if (segment.length > MAX_SEGMENT_BYTES) {
      return `has a segment longer than ${MAX_SEGMENT_BYTES} bytes`;
    }
    if (segment.startsWith(".")) return "has a segment that begins with a dot";
    if (!SEGMENT.test(segment)) {
      return 'has a character other than ASCII letters, digits, ".", "_", "-" and "/"';
    }
  }
  return undefined;
}

function show(key: string): string {
  return JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key);
}
