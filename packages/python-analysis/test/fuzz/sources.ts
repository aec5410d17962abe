import fc from "fast-check";

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const joined = (parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));

const LINE_ENDS = ["\n", "\r\n", "\r", "\n\r", ""];

/** Names of encodings: accepted, refused, unknown, and those that only look like one or the other. */
const ENCODINGS = (
  "utf-8 utf8 UTF-8 utf_8 utf-8-sig utf_8_sig utf-8-unix U8 cp65001 ascii us-ascii ANSI_X3.4-1968 646 latin-1 latin1 Latin_1 " +
  "iso-8859-1 iso8859-1 ISO_8859_1 iso-8859-1-unix iso-latin-1-dos latin-1-mac L1 cp1252 windows-1252 cp437 koi8-r koi8_u " +
  "iso-8859-15 latin-9 mac_roman macroman cp037 cp500 cp1026 utf-7 utf7 UTF-16 utf-16-le utf-32 unicode_escape " +
  "raw_unicode_escape idna punycode rot13 base64 hex zlib uu shift_jis shift-jis euc_jp euc-kr gbk gb2312 gb18030 big5 " +
  "big5hkscs iso2022_jp iso-2022-kr hz johab cp932 cp949 mbcs oem undefined nonsense x utf utf-9 utf-80 utf-8x - . .. os " +
  "encodings.utf_8 ../utf_8 cp1252.x latin_1.__init__ aliases __init__ cp720 cp1125 tis-620 ptcp154 hp-roman8 kz1048"
).split(" ");

const cookieLine = fc
  .tuple(
    fc.constantFrom(
      "# ",
      "#",
      " #",
      "\t#",
      "\f#",
      "#!/usr/bin/python ",
      "x = 1 # ",
      "'''# ",
      "\\\n# ",
    ),
    fc.constantFrom("", "-*- ", "vim: set file", "en", "en en", "ä "),
    fc.constantFrom(
      "coding: ",
      "coding:",
      "coding=",
      "coding =",
      "coding:\t ",
      "CODING: ",
      "coding coding: ",
    ),
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...ENCODINGS) },
      fc.stringMatching(/^[-\w.]{1,16}$/),
    ),
    fc.constantFrom("", " -*-", "é", ":", " coding: latin-1", "\0"),
  )
  .map((parts) => joined(parts));

/** A few lines whose first two are of all kinds that PEP 263 tells apart. */
const encoded = fc
  .tuple(
    fc.constantFrom("", "", "\xef\xbb\xbf", "\xef\xbb", "\xff\xfe", "\xfe\xff").map(latin1),
    fc.constantFrom(
      "",
      "",
      "\n",
      "\r",
      "\r\n",
      "#!/usr/bin/env python\n",
      "\f\n",
      "   \n",
      "# a\r",
      "x\n",
      "'''\n",
      "\\\n",
    ),
    cookieLine,
    fc.constantFrom(...LINE_ENDS),
    fc.oneof(
      fc.uint8Array({ maxLength: 12 }).map((bytes) => joined(["x = '", bytes, "'\n"])),
      fc
        .constantFrom(
          "+AAo-import os\n",
          "\\u000aimport os\n",
          "x = 1\n",
          "# \x82\x5c\nx\n",
          "\x1b$B!!\x1b(B",
        )
        .map(latin1),
    ),
  )
  .map((parts) => joined(parts));

const PIECES = [
  ..."\n \t\f\r\\#'\"{}()[]:;=,.@!x1",
  ..."\r\n|'''|\"\"\"|if x:|else:|def f():|class A:|pass|async |await |lambda x: |  |    |\t\t|f'|rb'|t'|u'|{x!r:>{y}}|{{|}}|:=|->|**|\\\n|\\N{DASH}|\\x4|é|😀|\u2028|\u0085|\ufeff|0x|1_0|1e|0777|...|# type: ignore|match x:|case _:|type X = |print x|exec 'a'|return|yield|nonlocal x|from __future__ import annotations|from . import *".split(
    "|",
  ),
  "\v",
  "\x1a",
  "\x7f",
];

const pieces = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 40 })
  .map((parts) => joined(parts));

/** Valid or nearly so, with format specifications, nested quotes and every prefix. */
const formatted = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.constantFrom("f", "rf", "F", "t", "bf", ""),
        fc.constantFrom("'", '"', "'''", '"""'),
        fc.constantFrom("{", "{ ", "{{{", "{x:{", "a{", "\\{", "{\n"),
      ),
      { maxLength: 30 },
    ),
    fc.constantFrom(
      "x",
      "",
      "x!r",
      "x=",
      "lambda x: 1",
      "'",
      "\\",
      "#",
      "x:%H:%M",
      "a if b else c",
      "(yield)",
      "x!z",
    ),
    fc.boolean(),
  )
  .map(([layers, core, complete]) => {
    const open = layers.map((layer) => layer.join("")).join("");
    const close = layers
      .map(([, quote, brace]) => "}".repeat(brace.split("{").length - 1) + quote)
      .reverse();
    return joined(["x = ", open, core, ...(complete ? close : close.slice(1)), "\n"]);
  });

const edit = fc.record({
  at: fc.nat(10_000),
  remove: fc.nat(8),
  insert: fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.constantFrom(...PIECES)),
});

/** Real Python with a few bytes changed, cut out or cut off. */
function mutated(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(edit, { maxLength: 4 }),
      fc.nat(10_000),
      fc.boolean(),
    )
    .map(([seed, edits, cut, isCut]) => {
      let source: Buffer = Buffer.from(isCut ? seed.subarray(0, cut % (seed.length + 1)) : seed);
      for (const { at, remove, insert } of edits) {
        const start = at % (source.length + 1);
        source = joined([source.subarray(0, start), insert, source.subarray(start + remove)]);
      }
      return source;
    });
}

/** Sources of every kind that might part those who read them. */
export function hostileSources(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
    { weight: 4, arbitrary: encoded },
    { weight: 3, arbitrary: pieces },
    { weight: 2, arbitrary: formatted },
    { weight: 4, arbitrary: mutated(seeds) },
  );
}
