/**
 * Source bytes to text, as CPython's tokenizer does it for `compile(bytes, …)`: PEP 263, with the byte order mark.
 *
 * CPython takes any of its codecs. Under some of them (`utf-7`, `unicode_escape`, `shift_jis`) it runs text that every other
 * reader sees as a comment, so only those are accepted here under which each ASCII byte is that ASCII character and nothing
 * else: UTF-8, ASCII, Latin-1 and the other single-byte supersets of ASCII.
 */
import { isAscii } from "node:buffer";

/** The encodings that are accepted, by the names that Python gives their codecs. */
export type SourceEncoding = "utf-8" | "ascii" | "iso-8859-1" | SingleByteEncoding;

/** Single-byte supersets of ASCII beside Latin-1, by the labels that WHATWG's Encoding Standard has for them. */
export type SingleByteEncoding = (typeof SINGLE_BYTE)[number];
const SINGLE_BYTE = [
  "windows-1250",
  "windows-1251",
  "windows-1252",
  "windows-1253",
  "windows-1254",
  "windows-1255",
  "windows-1256",
  "windows-1257",
  "windows-1258",
  "iso-8859-2",
  "iso-8859-3",
  "iso-8859-4",
  "iso-8859-5",
  "iso-8859-6",
  "iso-8859-7",
  "iso-8859-8",
  "iso-8859-10",
  "iso-8859-13",
  "iso-8859-14",
  "iso-8859-15",
  "iso-8859-16",
  "koi8-r",
  "koi8-u",
  "ibm866",
] as const;

/** Why bytes are not source text. */
export interface DecodeError {
  /** `null` where CPython refuses the bytes too; else the rule of Sluice's own that does. */
  readonly rule: "encoding.not-accepted" | null;
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
  readonly encoding: SourceEncoding;
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
  const byteOrderMark = source.length >= 3 && source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf;
  const body = byteOrderMark ? source.subarray(3) : source;

  const declaration = declaredEncoding(body);
  if (declaration === undefined || declaration.name === "utf-8") return decodeUtf8(body, byteOrderMark, false);
  const declared = declaration.name;
  if (byteOrderMark) return refuse(`encoding problem: ${declared} with BOM`, declaration.line);
  switch (codecOf(declared)) {
    case "utf-8":
      return decodeUtf8(body, false, true);
    case "ascii":
      return decodeAscii(body);
    case "iso-8859-1":
      return { ok: true, text: toLineFeeds(body.toString("latin1")), encoding: "iso-8859-1", byteOrderMark };
    case undefined:
      return refuse(
        `encoding not accepted: ${declared} (save the script as utf-8; single-byte supersets of ascii are accepted too)`,
        null,
        null,
        "encoding.not-accepted",
      );
    default:
      return decodeSingleByte(body, codecOf(declared) as SingleByteEncoding);
  }
}

function refuse(
  message: string,
  line: number | null = null,
  column: number | null = null,
  rule: DecodeError["rule"] = null,
): DecodedSource {
  return { ok: false, error: { rule, type: "SyntaxError", message, line, column } };
}

function toLineFeeds(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

function decodeUtf8(body: Buffer, byteOrderMark: boolean, throughCodec: boolean): DecodedSource {
  if (isAscii(body)) return { ok: true, text: toLineFeeds(body.toString("latin1")), encoding: "utf-8", byteOrderMark };
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    return { ok: true, text: toLineFeeds(text), encoding: "utf-8", byteOrderMark };
  } catch {
    return describeBadUtf8(Buffer.from(toLineFeeds(body.toString("latin1")), "latin1"), throughCodec);
  }
}

function decodeAscii(body: Buffer): DecodedSource {
  const text = toLineFeeds(body.toString("latin1"));
  const bad = text.search(/[\x80-\xff]/);
  if (bad < 0) return { ok: true, text, encoding: "ascii", byteOrderMark: false };
  const byte = text.charCodeAt(bad).toString(16);
  return refuse(`'ascii' codec can't decode byte 0x${byte} in position ${bad}: ordinal not in range(128)`);
}

function decodeSingleByte(body: Buffer, encoding: SingleByteEncoding): DecodedSource {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(body);
    return { ok: true, text: toLineFeeds(text), encoding, byteOrderMark: false };
  } catch {
    return refuse("'charmap' codec can't decode: character maps to <undefined>");
  }
}

/** CPython has two ways to say it: its tokenizer's, and its codec's where the encoding was declared by another name. */
function describeBadUtf8(body: Buffer, throughCodec: boolean): DecodedSource {
  const [start, length] = firstBadUtf8(body);
  const byte = body[start]!;
  const hex = byte.toString(16);
  if (throughCodec) {
    const what = length > 1 ? `bytes in position ${start}-${start + length - 1}` : `byte 0x${hex} in position ${start}`;
    const reason = byte < 0xc2 || byte > 0xf4 ? "invalid start byte" : "invalid continuation byte";
    return refuse(`'utf-8' codec can't decode ${what}: ${reason}`);
  }
  const before = body.toString("utf8", 0, start);
  const line = before.split("\n").length;
  const column = [...before.slice(before.lastIndexOf("\n") + 1)].length + 1;
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

/** @returns where the first sequence starts that is not UTF-8, and how many of its bytes could have begun a character */
function firstBadUtf8(body: Buffer): [start: number, length: number] {
  let start = 0;
  while (start < body.length) {
    const first = body[start]!;
    const wanted = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
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

/** The modules of Python's `encodings` that are accepted … */
const MODULES = codecNames({ "utf-8": "utf_8", ascii: "ascii", "iso-8859-1": "latin_1 iso8859_1" });
/** … and their aliases, as `encodings.aliases` has them. */
const ALIASES = codecNames({
  "utf-8": "cp65001 u8 utf utf8 utf8_ucs2 utf8_ucs4",
  ascii:
    "646 ansi_x3.4_1968 ansi_x3.4_1986 ansi_x3_4_1968 cp367 csascii ibm367 iso646_us iso_646.irv_1991 iso_ir_6 us us_ascii",
  "iso-8859-1":
    "8859 cp819 csisolatin1 ibm819 iso8859 iso8859_1 iso_8859_1 iso_8859_1_1987 iso_ir_100 l1 latin latin1",
});

/** The names that Python has for the single-byte encodings. */
const SINGLE_BYTE_NAMES = new Map(
  SINGLE_BYTE.flatMap((encoding): [string, SingleByteEncoding][] => {
    const [family, part] = encoding.split(/-(?=[^-]+$)/) as [string, string];
    const names: Record<string, string[]> = {
      windows: [`cp${part}`, `windows_${part}`, part],
      "iso-8859": [`iso8859_${part}`, `iso_8859_${part}`],
      koi8: [`koi8_${part}`],
    };
    return (names[family] ?? ["cp866", "866", "ibm866"]).map((name) => [name, encoding]);
  }),
);

function codecNames(
  names: Record<Exclude<SourceEncoding, SingleByteEncoding>, string>,
): Map<string, SourceEncoding> {
  const entries = Object.entries(names) as [SourceEncoding, string][];
  return new Map(entries.flatMap(([encoding, list]) => list.split(" ").map((name) => [name, encoding] as const)));
}

/** As `encodings.search_function` finds a codec. */
function codecOf(declared: string): SourceEncoding | undefined {
  const name = declared
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, "_")
    .replace(/^_|_$/g, "");
  return (
    ALIASES.get(name) ??
    ALIASES.get(name.replaceAll(".", "_")) ??
    MODULES.get(name) ??
    SINGLE_BYTE_NAMES.get(name)
  );
}
