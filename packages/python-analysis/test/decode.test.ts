import { readFileSync } from "node:fs";
import fc from "fast-check";
import { loadPyodide } from "pyodide";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeSource } from "../src/decode.js";

/** Asks CPython for the last string of a source, or for its error. */
let ask: (source: Uint8Array) => {
  mark?: string;
  error?: [string, string, number | null, number | null];
};

beforeAll(async () => {
  const pyodide = await loadPyodide({ stdout: () => {}, stderr: () => {} });
  const judge = pyodide.runPython(`
import ast, json, warnings
warnings.simplefilter("ignore")
def ask(source):
    try:
        tree = compile(source.to_bytes(), "<script>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as exc:
        return json.dumps({"error": [type(exc).__name__, exc.msg, exc.lineno, exc.offset]})
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return json.dumps({"mark": strings[-1]})
ask
`) as (source: Uint8Array) => string;
  ask = (source) => JSON.parse(judge(source)) as ReturnType<typeof ask>;
}, 60_000);

const bytes = (latin1: string): Uint8Array =>
  Uint8Array.from(latin1, (character) => character.charCodeAt(0));
const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

const ENCODINGS =
  "utf-8 UTF_8 utf-8-unix utf8 u8 utf utf-8-sig utf_8_sig utf8-sig utf-8x utf.8 utf--8 cp65001 ascii US-ASCII 646 " +
  "ansi_x3.4_1968 iso_646.irv_1991 .ascii latin-1 latin1 Latin_1 latin-1-unix latin.1 l1 8859 -latin1- iso-8859-1 " +
  "iso.8859.1 ISO-LATIN-1-x iso8859-1 iso-8859-1x iso-8859-1-1987 foo .";
// As Latin-1 text: each character is a byte.
const HEADERS = [
  ...ENCODINGS.split(" ").map((encoding) => `# coding: ${encoding}\n`),
  "",
  "\n",
  "\r",
  "\r\n",
  "\f\n",
  "#!/usr/bin/env python3\n",
  "# caf\xe9\n",
  `# ${utf8("café")}\r`,
  "# -*- coding: latin-1 -*-\n",
  "# coding:\n",
  "# coding :latin-1\n",
  "# coding=\t latin-1\n",
  "# encoding=latin-1\n",
  "# vim: set fileencoding=latin-1 :\n",
  "# xcoding:coding:latin-1\n",
  "# coding:: coding=latin-1\n",
  "# coding: latin-1 coding: foo\n",
  "# coding:latin-1\xe9\n",
  "# \xe9 coding:latin-1\n",
  " \t\f# coding: latin-1\n",
  "\v# coding: latin-1\n",
  "\n# coding: latin-1\n",
  "\r# coding: latin-1\r",
  "\r\n# coding: latin-1\r\n",
  " \t\f\n# coding: latin-1\n",
  "# a\n# coding: latin-1\n",
  "# a\r# coding: latin-1\r",
  "# \xe9\n# coding: latin-1\n",
  "# coding: utf-8\n# coding: latin-1\n",
  "# coding: latin-1\n# coding: utf-8\n",
  "\n\n# coding: latin-1\n",
  "pass\n# coding: latin-1\n",
  "pass # coding: latin-1\n",
  '"""\n# coding: latin-1\n"""\n',
  "\\\n# coding: latin-1\n",
  "\xef\xbb\xbf",
  "\xef\xbb\xbf\n",
  "\xef\xbb\xbf# coding: utf-8\n",
  "\xef\xbb\xbf# coding: utf-8-x\n",
  "\xef\xbb\xbf# coding: utf8\n",
  "\xef\xbb\xbf# coding: ascii\n",
  "\xef\xbb\xbf# coding: latin-1\n",
  "\xef\xbb\xbf\n# coding: latin-1\n",
  "\xef\xbb\xbf\xef\xbb\xbf",
  "\xef\xbb",
  "# coding: latin-1\n\0",
  "\0",
];
const BODIES = [
  "mark = 'a'",
  "mark = 'a'\n",
  "mark = 'a'\r",
  "mark = 'a\fb'\n",
  "mark = '''a\r\nb\rc\nd'''\r\n",
  `mark = '${utf8("é€😀")}'\n`,
  "mark = '\xe9'\n",
  "y = 1\r\nmark = '\xe9'\r\n",
  `z = '${utf8("😀é")}'; mark = '\xff'\n`,
  "mark = '\x80\x85\xa0\xff'\n",
  "mark = '\xc0\x80'\n",
  "mark = '\xe0\x9f\xbf'\n",
  "mark = '\xed\x9f\xbf'\n",
  "mark = '\xed\xa0\x80'\n",
  "mark = '\xf0\x8f\xbf\xbf'\n",
  "mark = '\xf4\x8f\xbf\xbf'\n",
  "mark = '\xf4\x90\x80\x80'\n",
  "mark = '\xf5\x80\x80\x80'\n",
  "mark = '\xef\xbf\xbf'\n",
  "mark = '\xef\xbb\xbf'\n",
  "mark = '\xe2\x82",
];

/** What the decoded text gives to `mark`, as far as it can be seen without Python. */
function stringIn(text: string): string | undefined {
  return /mark = ('''|')([^']*)/.exec(text)?.[2];
}

function expectAsCPython(latin1: string): void {
  const context = JSON.stringify(latin1);
  const source = bytes(latin1);
  const expected = ask(source);
  const decoded = decodeSource(source);
  if (decoded.ok) {
    // CPython may have objections to the text, but it must have got that far.
    if (expected.error)
      expect(expected.error[1], context).toMatch(/non-printable|unterminated|expected/);
    else expect(stringIn(decoded.text), context).toBe(expected.mark);
    expect(decoded.text, context).not.toContain("\r");
    return;
  }
  const { rule, type, message, line, column } = decoded.error;
  if (rule === "source.encoding" && expected.error?.[1].startsWith("unknown encoding")) return;
  if (rule !== null) expect.fail(`refused ${context}: ${message}`);
  const place = (value: number | null): number | null =>
    value !== null && value > 0 ? value : null;
  const [expectedType, expectedMessage, expectedLine, expectedColumn] = expected.error ?? [
    "none",
    "none",
    null,
    null,
  ];
  expect({ type, message, line, column }, context).toEqual({
    type: expectedType,
    message: expectedMessage,
    line: place(expectedLine),
    column: place(expectedColumn),
  });
}

describe("decodeSource and CPython agree", () => {
  test("on declarations, byte order marks, line ends and broken sequences", () => {
    for (const header of HEADERS) for (const body of BODIES) expectAsCPython(header + body);
  }, 60_000);

  test("on generated headers and bytes", () => {
    const words =
      "# # coding coding coding : = en utf-8 UTF _ - 8 latin 1 iso-8859-1 iso ascii us . x \\";
    const others = [" ", "\t", "\f", "\n", "\r", "\r\n", "\xe9", utf8("é"), "\xef\xbb\xbf"];
    const piece = fc.constantFrom(...words.split(" "), ...others);
    const header = fc.array(piece, { maxLength: 12 }).map((pieces) => {
      const text = pieces.join("");
      return text === "" || /[\n\r]$/.test(text) ? text : `${text}\n`;
    });
    const character = fc
      .integer({ min: 0x20, max: 0xff })
      .filter((byte) => byte !== 0x27 && byte !== 0x5c);
    const body = fc.oneof(
      fc.array(character, { maxLength: 6 }).map((codes) => String.fromCharCode(...codes)),
      fc
        .string({ unit: "grapheme", maxLength: 4 })
        .map((text) => utf8(text.replace(/['\\\n\r\0]/g, ""))),
    );
    fc.assert(
      fc.property(header, body, (start, middle) => {
        const latin1 = `${start}mark = '${middle}'\n`;
        const expected = ask(bytes(latin1));
        // Headers that are not Python for other reasons say nothing about decoding.
        if (expected.error && !/encod|codec|null bytes|Non-UTF-8/.test(expected.error[1])) return;
        expectAsCPython(latin1);
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});

test("every byte of every other single-byte encoding is the character that Python takes it for", () => {
  const codecs = JSON.parse(
    readFileSync(new URL("../data/single-byte-encodings.json", import.meta.url), "utf8"),
  ) as Record<string, { aliases: string[] }>;
  for (const [codec, { aliases }] of Object.entries(codecs)) {
    for (const declared of [codec, ...aliases]) {
      expectAsCPython(`# coding: ${declared}\nmark = '\xe9'\n`);
    }
    for (let byte = 0x80; byte <= 0xff; byte++) {
      expectAsCPython(`# coding: ${codec}\r\nmark = '${String.fromCharCode(byte)}'\n`);
    }
    for (const control of ["\x1a", "\x1c", "\x7f"]) {
      expectAsCPython(`# coding: ${codec}\nmark = '${control}'\n`);
    }
  }
}, 60_000);

test("encodings that CPython knows and others do not read the same way are refused", () => {
  for (const encoding of [
    "utf-7",
    "unicode_escape",
    "utf-16",
    "shift_jis",
    "gb18030",
    "cp037",
    "rot13",
    "idna",
    "nonsense",
  ]) {
    const decoded = decodeSource(bytes(`# coding: ${encoding}\nx = 1\n`));
    expect(decoded).toMatchObject({
      ok: false,
      error: { rule: "source.encoding", type: "SyntaxError" },
    });
    expect(decoded.ok || decoded.error.message).toContain(encoding);
  }
});

test("says how it read the bytes", () => {
  expect(decodeSource(bytes("\xef\xbb\xbfx\r\ny\rz\n"))).toEqual({
    ok: true,
    text: "x\ny\nz\n",
    encoding: "utf-8",
    byteOrderMark: true,
  });
  expect(decodeSource(bytes("# coding: l1\n\xe9\f\x85"))).toEqual({
    ok: true,
    text: "# coding: l1\né\f\x85",
    encoding: "iso-8859-1",
    byteOrderMark: false,
  });
  expect(decodeSource(bytes("# coding: ascii\n"))).toMatchObject({ encoding: "ascii" });
  expect(decodeSource(bytes(""))).toEqual({
    ok: true,
    text: "",
    encoding: "utf-8",
    byteOrderMark: false,
  });
});

test("leaves the bytes and their neighbours alone", () => {
  const whole = bytes("\xff\xffx\r\n\xff\xff");
  expect(decodeSource(whole.subarray(2, 5))).toMatchObject({ ok: true, text: "x\n" });
  expect(whole).toEqual(bytes("\xff\xffx\r\n\xff\xff"));
});

test("never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (source) => {
      decodeSource(source);
    }),
  );
});
