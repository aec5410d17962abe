import fc from "fast-check";
import { loadPyodide } from "pyodide";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeSource } from "../src/decode.js";

/** Asks CPython for the last string of a source, or for its error. */
let ask: (source: Uint8Array) => { mark?: string; error?: [string, string, number | null, number | null] };

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

const bytes = (latin1: string): Uint8Array => Uint8Array.from(latin1, (character) => character.charCodeAt(0));
const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

// As Latin-1 text: each character is a byte.
const HEADERS = [
  ...["", "\n", "\r", "\r\n", "\f\n", "#!/usr/bin/env python3\n", "# caf\xe9\n", `# ${utf8("café")}\r`],
  ...["utf-8", "UTF_8", "utf-8-unix", "utf8", "u8", "utf", "utf-8-sig", "utf_8_sig", "utf8-sig", "utf-8x", "utf.8", "utf--8"],
  ...["cp65001", "ascii", "US-ASCII", "646", "ansi_x3.4_1968", "iso_646.irv_1991", ".ascii", "latin-1", "latin1", "Latin_1"],
  ...["latin-1-unix", "latin.1", "l1", "8859", "-latin1-", "iso-8859-1", "iso.8859.1", "ISO-LATIN-1-x", "iso8859-1"],
  ...["iso-8859-1x", "iso-8859-1-1987", "foo", "."],
].map((header) => (header === "" || /[\n\r]$/.test(header) ? header : `# coding: ${header}\n`));
HEADERS.push(
  ...["# -*- coding: latin-1 -*-\n", "# coding:\n", "# coding :latin-1\n", "# coding=\t latin-1\n", "# encoding=latin-1\n"],
  ...["# vim: set fileencoding=latin-1 :\n", "# xcoding:coding:latin-1\n", "# coding:: coding=latin-1\n"],
  ...["# coding: latin-1 coding: foo\n", "# coding:latin-1\xe9\n", "# \xe9 coding:latin-1\n", " \t\f# coding: latin-1\n"],
  ...["\v# coding: latin-1\n", "\n# coding: latin-1\n", "\r# coding: latin-1\r", "\r\n# coding: latin-1\r\n"],
  ...[" \t\f\n# coding: latin-1\n", "# a\n# coding: latin-1\n", "# a\r# coding: latin-1\r", "# \xe9\n# coding: latin-1\n"],
  ...["# coding: utf-8\n# coding: latin-1\n", "# coding: latin-1\n# coding: utf-8\n", "\n\n# coding: latin-1\n"],
  ...["pass\n# coding: latin-1\n", "pass # coding: latin-1\n", '"""\n# coding: latin-1\n"""\n', "\\\n# coding: latin-1\n"],
  ...["", "\n", "# coding: utf-8\n", "# coding: utf-8-x\n", "# coding: utf8\n", "# coding: ascii\n", "# coding: latin-1\n"].map(
    (header) => `\xef\xbb\xbf${header}`,
  ),
  ...["\xef\xbb\xbf\n# coding: latin-1\n", "\xef\xbb\xbf\xef\xbb\xbf", "\xef\xbb", "# coding: latin-1\n\0", "\0"],
);
const BODIES = [
  ...["a", "a\fb", utf8("é€😀"), "\xe9", "\x80\x85\xa0\xff", "\xc0\x80", "\xe0\x9f\xbf", "\xed\x9f\xbf", "\xed\xa0\x80"],
  ...["\xf0\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xef\xbf\xbf", "\xef\xbb\xbf"],
].map((body) => `mark = '${body}'\n`);
BODIES.push("mark = 'a'", "mark = 'a'\r", "mark = '''a\r\nb\rc\nd'''\r\n", "y = 1\r\nmark = '\xe9'\r\n", "mark = '\xe2\x82");
BODIES.push(`z = '${utf8("😀é")}'; mark = '\xff'\n`);

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
    if (expected.error) expect(expected.error[1], context).toMatch(/non-printable|unterminated|expected/);
    else expect(stringIn(decoded.text), context).toBe(expected.mark);
    expect(decoded.text, context).not.toContain("\r");
    return;
  }
  const { rule, type, message, line, column } = decoded.error;
  if (rule === "encoding.not-accepted" && expected.error?.[1].startsWith("unknown encoding")) return;
  if (rule !== null) expect.fail(`refused ${context}: ${message}`);
  const place = (value: number | null): number | null => (value !== null && value > 0 ? value : null);
  const [expectedType, expectedMessage, expectedLine, expectedColumn] = expected.error ?? ["none", "none", null, null];
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
    const piece = fc.constantFrom(
      ...["#", " ", "\t", "\f", "\n", "\r", "\r\n", "coding", ":", "=", "en", "utf-8", "UTF", "_", "-", "8", "latin", "1"],
      ...["iso-8859-1", "iso", "ascii", "us", ".", "\xe9", utf8("é"), "\xef\xbb\xbf", "\\", "x"],
    );
    const header = fc.array(piece, { maxLength: 12 }).map((pieces) => {
      const text = pieces.join("");
      return text === "" || /[\n\r]$/.test(text) ? text : `${text}\n`;
    });
    const character = fc.integer({ min: 0x20, max: 0xff }).filter((byte) => byte !== 0x27 && byte !== 0x5c);
    const body = fc.oneof(
      fc.array(character, { maxLength: 6 }).map((codes) => String.fromCharCode(...codes)),
      fc.string({ unit: "grapheme", maxLength: 4 }).map((text) => utf8(text.replace(/['\\\n\r\0]/g, ""))),
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

test.each([
  ["cp1252", "windows-1252", "Áé"],
  ["windows_1251", "windows-1251", "Бй"],
  ["KOI8-R", "koi8-r", "аИ"],
  ["iso-8859-15", "iso-8859-15", "Áé"],
  ["iso8859_7", "iso-8859-7", "Αι"],
  ["cp866", "ibm866", "┴щ"],
])("single bytes of %s are read", (declared, encoding, text) => {
  const body = Buffer.concat([Buffer.from(`# coding: ${declared}\n# `), Buffer.from([0xc1, 0xe9])]);
  expect(decodeSource(body)).toMatchObject({ ok: true, encoding, text: `# coding: ${declared}\n# ${text}` });
});

test("encodings that CPython knows and others do not read the same way are refused", () => {
  for (const encoding of ["utf-7", "unicode_escape", "utf-16", "shift_jis", "gb18030", "cp037", "rot13", "idna", "nonsense"]) {
    const decoded = decodeSource(bytes(`# coding: ${encoding}\nx = 1\n`));
    expect(decoded).toMatchObject({ ok: false, error: { rule: "encoding.not-accepted", type: "SyntaxError" } });
    expect(decoded.ok || decoded.error.message).toContain(encoding);
  }
});

test("says how it read the bytes", () => {
  expect(decodeSource(bytes("\xef\xbb\xbfx\r\ny\rz\n"))).toEqual({ ok: true, text: "x\ny\nz\n", encoding: "utf-8", byteOrderMark: true });
  expect(decodeSource(bytes("# coding: l1\n\xe9\f\x85"))).toEqual({
    ok: true,
    text: "# coding: l1\né\f\x85",
    encoding: "iso-8859-1",
    byteOrderMark: false,
  });
  expect(decodeSource(bytes("# coding: ascii\n"))).toMatchObject({ encoding: "ascii" });
  expect(decodeSource(bytes(""))).toEqual({ ok: true, text: "", encoding: "utf-8", byteOrderMark: false });
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
