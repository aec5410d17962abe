/**
 * Source bytes to text, as CPython's tokenizer does it for `compile(bytes, …)`: PEP 263, with the byte order mark.
 *
 * CPython takes any of its codecs. Under some of them (`utf-7`, `unicode_escape`, `shift_jis`) it runs text that every other
 * reader sees as a comment, so only those are accepted here under which each ASCII byte is that ASCII character and nothing
 * else: UTF-8, ASCII, Latin-1 and the other single-byte supersets of ASCII.
 */
import { isAscii } from "node:buffer";
import { findCodec, type SingleByteCodec } from "./encodings.js";

/** Why bytes are not source text. */
export interface DecodeError {
  /**
   * `null` where CPython refuses the bytes too; else the rule of Sluice's own that does. CPython is 3.14: those before it overlook
   * bytes in comments that are no UTF-8.
   */
  readonly rule: "source.encoding" | null;
  /** Python's exception class. */
  readonly type: "SyntaxError";
  /** In CPython's words, unless {@link rule} is set. */
  readonly message: string;
  /** Counts from 1; `null` where CPython names no place. */
  readonly line: number | null;
  /** Counts from 1, in code points. */
  readonly column: number | null;
}

/** Source text, and how it was read. */
export interface DecodedText {
  readonly ok: true;
  /**
   * Without the byte order mark, every line ended by `\n` (CPython ends a line at `\r\n` and at a lone `\r` too). Lines are
   * those that CPython counts; offsets are not those of the bytes.
   */
  readonly text: string;
  /** `utf-8`, `ascii`, `iso-8859-1`, or the name that Python gives to the codec, such as `cp1252`. */
  readonly encoding: string;
  readonly byteOrderMark: boolean;
}

export type DecodedSource = DecodedText | { readonly ok: false; readonly error: DecodeError };

const LF = 0x0a;
const CR = 0x0d;

/**
 * Decodes a script. Never throws.
 *
 * @param bytes - the script as it was uploaded
 */
export function decodeSource(bytes: Uint8Array): DecodedSource {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (source.includes(0)) return refuse("source code string cannot contain null bytes");
  const byteOrderMark =
    source.length >= 3 && source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf;
  const body = byteOrderMark ? source.subarray(3) : source;

  const declaration = declaredEncoding(body);
  const lines = withLineFeeds(body);
  if (declaration === undefined || declaration.name === "utf-8")
    return decodeUtf8(lines, byteOrderMark, false);
  const declared = declaration.name;
  if (byteOrderMark) return refuse(`encoding problem: ${declared} with BOM`, declaration.line);
  const codec = findCodec(declared);
  if (codec === "utf-8") return decodeUtf8(lines, false, true);
  if (codec === "ascii") return decodeAscii(lines);
  if (codec) return decodeSingleByte(lines, codec);
  return refuse(
    `encoding not accepted: ${declared} (save the script as utf-8; single-byte supersets of ascii are accepted too)`,
    null,
    null,
    "source.encoding",
  );
}

function refuse(
  message: string,
  line: number | null = null,
  column: number | null = null,
  rule: DecodeError["rule"] = null,
): DecodedSource {
  return { ok: false, error: { rule, type: "SyntaxError", message, line, column } };
}

/** Ends lines as {@link DecodedText.text} has them. In all encodings that are accepted a carriage return is this byte. */
export function withLineFeeds(source: Buffer): Buffer {
  let at = source.indexOf(CR);
  if (at < 0) return source;
  const ended = Buffer.from(source);
  let length = at;
  for (; at < source.length; at++) {
    if (source[at] !== CR) ended[length++] = source[at]!;
    else if (source[at + 1] !== LF) ended[length++] = LF;
  }
  return ended.subarray(0, length);
}

function decodeUtf8(body: Buffer, byteOrderMark: boolean, throughCodec: boolean): DecodedSource {
  if (isAscii(body))
    return {
      ok: true,
      text: body.toString("latin1"),
      encoding: "utf-8",
      byteOrderMark,
    };
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    return { ok: true, text, encoding: "utf-8", byteOrderMark };
  } catch {
    return describeBadUtf8(body, throughCodec);
  }
}

function decodeAscii(body: Buffer): DecodedSource {
  const text = body.toString("latin1");
  const bad = text.search(/[\x80-\xff]/);
  if (bad < 0) return { ok: true, text, encoding: "ascii", byteOrderMark: false };
  const byte = text.charCodeAt(bad).toString(16);
  return refuse(
    `'ascii' codec can't decode byte 0x${byte} in position ${bad}: ordinal not in range(128)`,
  );
}

function decodeSingleByte(body: Buffer, { name, upperHalf }: SingleByteCodec): DecodedSource {
  const source = body.toString("latin1");
  const text = source.replace(/[\x80-\xff]/g, (byte) => upperHalf[byte.charCodeAt(0) - 0x80] ?? "");
  if (text.length === source.length)
    return { ok: true, text, encoding: name, byteOrderMark: false };
  const bad = [...source].findIndex(
    (byte) => byte >= "\x80" && upperHalf[byte.charCodeAt(0) - 0x80] === undefined,
  );
  const hex = source.charCodeAt(bad).toString(16);
  return refuse(
    `'charmap' codec can't decode byte 0x${hex} in position ${bad}: character maps to <undefined>`,
  );
}

/** CPython has two ways to say it: its tokenizer's, and its codec's where the encoding was declared by another name. */
function describeBadUtf8(body: Buffer, throughCodec: boolean): DecodedSource {
  const [start, length] = firstBadUtf8(body);
  const byte = body[start]!;
  const hex = byte.toString(16);
  if (throughCodec) {
    const what =
      length > 1
        ? `bytes in position ${start}-${start + length - 1}`
        : `byte 0x${hex} in position ${start}`;
    const reason = byte < 0xc2 || byte > 0xf4 ? "invalid start byte" : "invalid continuation byte";
    return refuse(`'utf-8' codec can't decode ${what}: ${reason}`);
  }
  const before = body.toString("utf8", 0, start);
  const line = before.split("\n").length;
  const column = Array.from(before.slice(before.lastIndexOf("\n") + 1)).length + 1;
  return refuse(
    `Non-UTF-8 code starting with '\\x${hex}' on line ${line}, but no encoding declared; ` +
      "see https://peps.python.org/pep-0263/ for details",
    line,
    column,
  );
}

/** The allowed range of the byte behind a first byte where that is not 80 to BF (RFC 3629, section 4). */
const SECOND_BYTES: Readonly<Record<number, readonly [number, number]>> = {
  0xe0: [0xa0, 0xbf],
  0xed: [0x80, 0x9f],
  0xf0: [0x90, 0xbf],
  0xf4: [0x80, 0x8f],
};

/** @returns 0 for what is no first byte */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** @returns where the first sequence starts that is not UTF-8, and how many of its bytes could have begun a character */
function firstBadUtf8(body: Buffer): [start: number, length: number] {
  let start = 0;
  while (start < body.length) {
    const first = body[start]!;
    const wanted = sequenceLength(first);
    let length = 1;
    for (; length < wanted; length++) {
      const [low, high] = (length === 1 && SECOND_BYTES[first]) || [0x80, 0xbf];
      const byte = body[start + length];
      if (byte === undefined || byte < low || byte > high) break;
    }
    if (length !== wanted) return [start, length];
    start += length;
  }
  return [start, 0];
}

interface Declaration {
  /** As `get_normal_name` of CPython's tokenizer has it. */
  readonly name: string;
  readonly line: 1 | 2;
}

/** The declaration in the first or second line (`check_coding_spec` of CPython's tokenizer). */
function declaredEncoding(body: Buffer): Declaration | undefined {
  const firstEnd = lineEnd(body, 0);
  const first = body.toString("latin1", 0, firstEnd);
  const inFirst = declarationIn(first, 1);
  if (inFirst || !/^[ \t\f]*(?:#|$)/.test(first)) return inFirst;
  const secondStart = firstEnd + (body[firstEnd] === CR && body[firstEnd + 1] === LF ? 2 : 1);
  if (secondStart >= body.length) return undefined;
  return declarationIn(body.toString("latin1", secondStart, lineEnd(body, secondStart)), 2);
}

function lineEnd(body: Buffer, from: number): number {
  let end = from;
  while (end < body.length && body[end] !== LF && body[end] !== CR) end++;
  return end;
}

function declarationIn(text: string, line: 1 | 2): Declaration | undefined {
  if (!/^[ \t\f]*#/.test(text)) return undefined;
  const declared = /coding[:=][ \t]*([-\w.]+)/.exec(text)?.[1];
  return declared === undefined ? undefined : { name: normalName(declared), line };
}

/** `get_normal_name` of CPython's tokenizer, which looks at the first 12 characters only. */
function normalName(declared: string): string {
  const start = declared.slice(0, 12).toLowerCase().replaceAll("_", "-");
  if (/^utf-8(?:-|$)/.test(start)) return "utf-8";
  if (/^(?:latin-1|iso-8859-1|iso-latin-1)(?:-|$)/.test(start)) return "iso-8859-1";
  return declared;
}
