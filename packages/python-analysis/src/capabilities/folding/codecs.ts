/** What Python's codecs make of constant text and bytes, and the modules whose functions do the same. */
import { gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import { findCodec } from "../../encodings.js";
import type { Budget } from "./limits.js";
import { LONGEST_TEXT } from "./limits.js";
import {
  type Bytes,
  bytes,
  text,
  type Text,
  UNKNOWN,
  UNKNOWN_HIDDEN,
  type Value,
} from "./value.js";

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const binary = (data: Uint8Array): string => Buffer.from(data).toString("latin1");
const buffer = (data: string): Buffer => Buffer.from(data, "latin1");

function nameOf(value: Value | undefined): string | null {
  if (!value || value.type === "none") return "utf_8";
  return value.type === "str" ? normalized(value.text) : null;
}

const normalized = (name: string) => name.toLowerCase().replace(/[^a-z0-9.]+/g, "_");

/** `bytes.decode`. Wrong bytes are errors, whatever handler is given: then nothing is known. */
export function decodeBytes(
  self: Bytes,
  encoding: Value | undefined,
  _errors: Value | undefined,
  budget: Budget,
): Value {
  const name = nameOf(encoding);
  const unknown = self.hidden ? UNKNOWN_HIDDEN : UNKNOWN;
  if (name === null || !budget.make(self.text.length)) return unknown;
  const decoded = charactersOf(self.text, name);
  return decoded === null ? unknown : text(decoded.text, self.hidden || decoded.hidden);
}

function charactersOf(data: string, name: string): { text: string; hidden: boolean } | null {
  const wide = /^u(?:tf)?_?(16|32)(?:_?([lb]e))?$/.exec(name);
  if (wide) {
    const wideText = wideCharacters(buffer(data), Number(wide[1]) / 8, wide[2]);
    return wideText === null ? null : { text: wideText, hidden: true };
  }
  if (name === "utf_8_sig") return charactersOf(data.replace(/^\xef\xbb\xbf/, ""), "utf_8");
  if (name === "unicode_escape" || name === "raw_unicode_escape") {
    const unescaped = unescape(data, name === "raw_unicode_escape");
    return unescaped === null ? null : { text: unescaped, hidden: unescaped !== data };
  }
  const codec = findCodec(name);
  if (codec === undefined) return null;
  if (codec === "ascii") return /^[\0-\x7f]*$/.test(data) ? { text: data, hidden: false } : null;
  if (codec === "utf-8") {
    try {
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      return { text: decoder.decode(buffer(data)), hidden: false };
    } catch {
      return null;
    }
  }
  let result = "";
  for (const byte of data) {
    const code = byte.charCodeAt(0);
    const character = code < 0x80 ? byte : codec.upperHalf[code - 0x80];
    if (character === undefined) return null;
    result += character;
  }
  return { text: result, hidden: false };
}

function wideCharacters(data: Buffer, size: number, order: string | undefined): string | null {
  let from = 0;
  let isBig = order === "be";
  if (order === undefined) {
    const mark = data.subarray(0, size).toString("hex");
    if (mark === (size === 2 ? "feff" : "0000feff")) [isBig, from] = [true, size];
    else if (mark === (size === 2 ? "fffe" : "fffe0000")) from = size;
  }
  if ((data.length - from) % size !== 0) return null;
  let result = "";
  for (; from < data.length; from += size) {
    const code = isBig ? data.readUIntBE(from, size) : data.readUIntLE(from, size);
    if (code > 0x10ffff) return null;
    result += size === 2 ? String.fromCharCode(code) : String.fromCodePoint(code);
  }
  return LONE_SURROGATE.test(result) ? null : result;
}

const SIMPLE: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function unescape(data: string, raw: boolean): string | null {
  let failed = false;
  const result = data.replace(
    raw
      ? /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g
      : /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{1,3})|([^]))/g,
    (whole, u?: string, U?: string, x?: string, octal?: string, other?: string) => {
      const digits = u ?? U ?? x;
      if (typeof octal === "string" && !raw) return String.fromCharCode(Number.parseInt(octal, 8));
      if (digits === undefined) {
        if (other === "x" || other === "u" || other === "U" || other === "N") failed = true;
        return SIMPLE[other!] ?? whole;
      }
      const code = Number.parseInt(digits, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) failed = true;
      return failed ? "" : String.fromCodePoint(code);
    },
  );
  return failed || (!raw && /(?:^|[^\\])(?:\\\\)*\\$/.test(data)) ? null : result;
}

/** `str.encode` to bytes. */
export function encodeText(
  self: Text,
  encoding: Value | undefined,
  _errors: Value | undefined,
  budget: Budget,
): Value {
  const name = nameOf(encoding);
  if (name === null || !budget.make(self.text.length * 4) || LONE_SURROGATE.test(self.text))
    return UNKNOWN;
  const wide = /^u(?:tf)?_?(16|32)(?:_?([lb]e))?$/.exec(name);
  if (wide) {
    if (wide[1] === "32") return UNKNOWN;
    const little = Buffer.from(self.text, "utf16le");
    if (wide[2] === "be") return bytes(binary(little.swap16()), self.hidden);
    return bytes((wide[2] ? "" : "\xff\xfe") + binary(little), self.hidden);
  }
  if (name === "unicode_escape")
    return /^[\x20-\x5b\x5d-\x7e]*$/.test(self.text) ? bytes(self.text, self.hidden) : UNKNOWN;
  if (name === "raw_unicode_escape")
    return /^[\0-\xff]*$/.test(self.text) ? bytes(self.text, self.hidden) : UNKNOWN;
  const codec = findCodec(name);
  if (codec === "utf-8") return bytes(binary(Buffer.from(self.text, "utf8")), self.hidden);
  if (codec === "ascii")
    return /^[\0-\x7f]*$/.test(self.text) ? bytes(self.text, self.hidden) : UNKNOWN;
  if (codec === undefined) return UNKNOWN;
  let result = "";
  for (const character of self.text) {
    const code = character.codePointAt(0)!;
    const upper = code < 0x80 ? code : codec.upperHalf.indexOf(character) + 0x80;
    if (code >= 0x80 && upper < 0x80) return UNKNOWN;
    result += String.fromCharCode(upper);
  }
  return bytes(result, self.hidden);
}

const rot13 = (plain: string): string =>
  plain.replace(/[a-zA-Z]/g, (letter) => {
    const base = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });

/** `binascii.a2b_base64`: skips what is no digit, and ends at complete padding. `null` for padding that is missing. */
function fromBase64(data: string, alphabet = "+/"): string | null {
  const standard =
    alphabet === "+/" ? data : data.replaceAll(alphabet[0]!, "+").replaceAll(alphabet[1]!, "/");
  let digits = "";
  let pads = 0;
  for (const character of standard) {
    const filled = digits.length % 4;
    if (character === "=") {
      if (filled >= 2 && filled + ++pads >= 4) return binary(Buffer.from(digits, "base64"));
    } else if (/[A-Za-z0-9+/]/.test(character)) {
      pads = 0;
      digits += character;
    }
  }
  return digits.length % 4 === 0 ? binary(Buffer.from(digits, "base64")) : null;
}

function fromBase32(data: string): string | null {
  if (data.length % 8 !== 0 || !/^[A-Z2-7]*={0,6}$/.test(data)) return null;
  let bits = 0;
  let value = 0;
  let result = "";
  for (const digit of data.replace(/=+$/, "")) {
    value = (value << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(digit);
    bits += 5;
    if (bits >= 8) result += String.fromCharCode((value >> (bits -= 8)) & 0xff);
    value &= (1 << bits) - 1;
  }
  return result;
}

const B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

function fromBase85(data: string, digitOf: (digit: string) => number): string | null {
  const missing = (5 - (data.length % 5)) % 5;
  const codes = [...Array.from(data, digitOf), ...Array.from({ length: missing }, () => 84)];
  if (codes.some((code) => code < 0 || code > 84)) return null;
  let result = "";
  for (let at = 0; at < codes.length; at += 5) {
    const word = codes.slice(at, at + 5).reduce((sum, code) => sum * 85 + code, 0);
    if (word > 0xffffffff) return null;
    for (const shift of [24, 16, 8, 0]) result += String.fromCharCode((word / 2 ** shift) & 0xff);
  }
  return missing === 0 ? result : result.slice(0, -missing);
}

function fromAscii85(data: string): string | null {
  const digits = data.replace(/[ \t\n\r\v]/g, "");
  const inner = digits.startsWith("<~") && digits.endsWith("~>") ? digits.slice(2, -2) : digits;
  return fromBase85(inner.replaceAll("z", "!!!!!"), (digit) => digit.charCodeAt(0) - 33);
}

export function fromHex(data: string, skipsBlanks: boolean): string | null {
  const digits = skipsBlanks ? data.replace(/[ \t\n\r\v\f]+/g, "") : data;
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
  return buffer(Buffer.from(digits, "hex").toString("latin1")).toString("latin1");
}

function fromQuotedPrintable(data: string): string | null {
  return /[^\x20-\x7e\n]|[ \t]\n/.test(data)
    ? null
    : data
        .replace(/=\n/g, "")
        .replace(/=([0-9a-fA-F]{2})/g, (_, code: string) =>
          String.fromCharCode(Number.parseInt(code, 16)),
        );
}

function inflated(data: string, window: number | null, budget: Budget): string | null {
  const options = { maxOutputLength: LONGEST_TEXT };
  try {
    const compressed = buffer(data);
    const plain =
      window === null || window > 15
        ? window !== null && window > 47
          ? null
          : unpacked(compressed, options)
        : window < 0
          ? inflateRawSync(compressed, options)
          : inflateSync(compressed, options);
    return plain && budget.make(plain.length) ? binary(plain) : null;
  } catch {
    return null;
  }
}

function unpacked(compressed: Buffer, options: { maxOutputLength: number }): Buffer {
  return compressed[0] === 0x1f
    ? gunzipSync(compressed, options)
    : inflateSync(compressed, options);
}

type Decoder = (data: string, budget: Budget) => string | null;

/** Functions from bytes, or ASCII text, to bytes that hide nothing any more. */
const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ...[
    "base64.b64decode",
    "base64.standard_b64decode",
    "base64.decodebytes",
    "base64.decodestring",
    "binascii.a2b_base64",
  ].map((name): [string, Decoder] => [name, (data) => fromBase64(data)]),
  ["base64.urlsafe_b64decode", (data) => fromBase64(data, "-_")],
  ["base64.b32decode", fromBase32],
  ["base64.b16decode", (data) => (/[a-f]/.test(data) ? null : fromHex(data, false))],
  ["base64.b85decode", (data) => fromBase85(data, (digit) => B85.indexOf(digit))],
  ["base64.a85decode", fromAscii85],
  ["binascii.a2b_hex", (data) => fromHex(data, false)],
  ["binascii.unhexlify", (data) => fromHex(data, false)],
  ["binascii.a2b_qp", fromQuotedPrintable],
  ["quopri.decodestring", fromQuotedPrintable],
  ["zlib.decompress", (data, budget) => inflated(data, 15, budget)],
  ["gzip.decompress", (data, budget) => inflated(data, null, budget)],
]);

/** Those whose results are not worked out: only that they hide something is known. */
const OPAQUE_DECODERS = new Set([
  "bz2.decompress",
  "lzma.decompress",
  "marshal.loads",
  "pickle.loads",
  "binascii.a2b_uu",
  "compression.zstd.decompress",
  "zstandard.decompress",
  "brotli.decompress",
  "dill.loads",
]);

/**
 * What a function of `base64`, `binascii`, `zlib` and the like makes of its arguments.
 *
 * @returns `undefined` when it is none of them
 */
export function decodeBy(path: string, given: readonly Value[], budget: Budget): Value | undefined {
  if (OPAQUE_DECODERS.has(path)) return UNKNOWN_HIDDEN;
  const decoder = DECODERS.get(path);
  if (!decoder) return ENCODERS.has(path) ? encodeBy(path, given, budget) : undefined;
  const [data, option] = given;
  if (!data || (data.type !== "bytes" && data.type !== "str")) return UNKNOWN_HIDDEN;
  if (!budget.make(data.text.length) || (data.type === "str" && /[^\0-\x7f]/.test(data.text)))
    return UNKNOWN_HIDDEN;
  let plain: string | null;
  if (path === "zlib.decompress" && option) {
    plain = option.type === "int" ? inflated(data.text, Number(option.value), budget) : null;
  } else if (path === "base64.b64decode" && option?.type === "bytes" && option.text.length === 2) {
    plain = fromBase64(data.text, option.text);
  } else if (path === "base64.b16decode" && option) {
    plain = fromHex(data.text, false);
  } else {
    plain = decoder(data.text, budget);
  }
  return plain === null ? UNKNOWN_HIDDEN : bytes(plain, true);
}

const ENCODERS: ReadonlyMap<string, (data: Buffer) => string> = new Map([
  ["base64.b64encode", (data) => data.toString("base64")],
  ["base64.standard_b64encode", (data) => data.toString("base64")],
  ["base64.b16encode", (data) => data.toString("hex").toUpperCase()],
  ["binascii.hexlify", (data) => data.toString("hex")],
  ["binascii.b2a_hex", (data) => data.toString("hex")],
]);

function encodeBy(path: string, given: readonly Value[], budget: Budget): Value {
  const [data] = given;
  if (data?.type !== "bytes" || given.length > 1 || !budget.make(data.text.length * 2))
    return UNKNOWN;
  return bytes(ENCODERS.get(path)!(buffer(data.text)), true);
}

/** `codecs.decode(data, encoding)`: with codecs from bytes to bytes and from text to text, too. */
export function codecsDecode(
  data: Value | undefined,
  encoding: Value | undefined,
  budget: Budget,
): Value {
  if (!data || (data.type !== "bytes" && data.type !== "str")) return UNKNOWN_HIDDEN;
  const name = nameOf(encoding)?.replace(/_codec$/, "");
  if (name === undefined || !budget.make(data.text.length)) return UNKNOWN_HIDDEN;
  if (name === "rot13" || name === "rot_13")
    return data.type === "str" ? text(rot13(data.text), true) : UNKNOWN;
  const decoder = {
    hex: "binascii.a2b_hex",
    base64: "base64.b64decode",
    base_64: "base64.b64decode",
    zlib: "zlib.decompress",
    zip: "zlib.decompress",
    quopri: "quopri.decodestring",
    quoted_printable: "quopri.decodestring",
    bz2: "bz2.decompress",
    uu: "binascii.a2b_uu",
  }[name];
  if (decoder) return decodeBy(decoder, [data], budget)!;
  if (data.type === "bytes") return decodeBytes(data, encoding, undefined, budget);
  return name === "unicode_escape" && /^[\0-\x7f]*$/.test(data.text)
    ? decodeBytes(bytes(data.text, data.hidden), encoding, undefined, budget)
    : UNKNOWN;
}

export function codecsEncode(
  data: Value | undefined,
  encoding: Value | undefined,
  budget: Budget,
): Value {
  const name = nameOf(encoding);
  if (name === "rot13" || name === "rot_13")
    return data?.type === "str" && budget.make(data.text.length)
      ? text(rot13(data.text), true)
      : UNKNOWN;
  if (name === "hex" || name === "hex_codec")
    return data ? encodeBy("binascii.hexlify", [data], budget) : UNKNOWN;
  return data?.type === "str" ? encodeText(data, encoding, undefined, budget) : UNKNOWN;
}
