import { UsageError } from "../usage-error.js";

/** More than any system takes as a path, so that a list without separators does not fill memory. */
const LONGEST_NAME = 65_536;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Splits a list of names, as it comes.
 *
 * @param separator - NUL, after which a name is what is between two of them; or a line end, where CRLF is one too. Empty names are
 * left out.
 * @throws UsageError where a name is longer than 64 KiB; the stream's own error where it cannot be read
 */
export async function* splitNames(
  list: AsyncIterable<Uint8Array>,
  separator: "line" | "nul",
): AsyncGenerator<Buffer> {
  const mark = separator === "nul" ? 0 : LF;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of list) {
    const text = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = text.indexOf(mark); end >= 0; end = text.indexOf(mark, start)) {
      const name = trimmed(text.subarray(start, end), separator);
      start = end + 1;
      if (name.length > 0) yield name;
    }
    rest = text.subarray(start);
    if (rest.length > LONGEST_NAME)
      throw new UsageError(`a name in the list of files has more than ${LONGEST_NAME} bytes`);
  }
  const last = trimmed(rest, separator);
  if (last.length > 0) yield last;
}

function trimmed(name: Buffer, separator: "line" | "nul"): Buffer {
  return separator === "line" && name.at(-1) === CR ? name.subarray(0, -1) : name;
}
