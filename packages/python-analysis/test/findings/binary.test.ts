import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decodeSource } from "../../src/decode.js";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { buildReport } from "../../src/report.js";

/** What the report says of bytes that CPython does not compile. */
function findingsOn(source: Uint8Array): string[] {
  const error = { type: "SyntaxError", message: "invalid syntax", line: 1, column: 1 };
  const report = buildReport({
    source,
    decoded: decodeSource(source),
    verdict: { valid: false, error, killed: null },
    parsed: undefined,
    policy: DEFAULT_POLICY,
  });
  expect(report.verdict).toBe("invalid");
  return report.findings.map(({ rule, severity, message }) => `${severity} ${rule}: ${message}`);
}

const latin1 = (text: string) => Buffer.from(text, "latin1");
const kind = (name: string) =>
  `error source.binary: the file looks like ${name}, not like a script`;

describe("what is no script is called by its name:", () => {
  test.each([
    ["a PNG image", latin1("\x89PNG\r\n\x1a\n\0\0\0\rIHDR")],
    ["a JPEG image", latin1("\xff\xd8\xff\xe0\0\x10JFIF")],
    ["a PDF document", latin1("%PDF-1.7\n1 0 obj\n")],
    ["a ZIP archive, such as a wheel or an Office document", latin1("PK\x03\x04\x14\0")],
    ["a gzip file", gzipSync("print(1)\n")],
    ["an ELF program or library", latin1("\x7fELF\x02\x01\x01\0")],
    ["a Windows program or library", latin1("MZ\x90\0\x03\0\0\0")],
    ["compiled Python (.pyc)", latin1("\xa7\r\r\n\0\0\0\0")],
    ["a pickle", latin1("\x80\x04\x95\x0b\0\0\0")],
    ["an SQLite database", latin1("SQLite format 3\0\x10\0")],
    ["a tar archive", latin1(`${"a".padEnd(257, "\0")}ustar\x0000`)],
    ["text in UTF-16", Buffer.from("\ufeffprint('hello')\n", "utf16le")],
    ["text in UTF-16", Buffer.from("print('hello')\n", "utf16le")],
    ["a binary file", Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 7) % 256))],
  ])("%s", (name, source) => {
    const [first, second] = findingsOn(source);
    expect(first).toBe(kind(name));
    expect(second).toMatch(/^error (?:syntax\.error|source\.encoding): /);
  });
});

test.each([
  ["a mistake", "x = = 1\n"],
  ["one NUL in a script", `x = 1\n${"y = 2\n".repeat(20)}\0`],
  ["a name that starts like a program", "MZ = \n"],
  ["a name that starts like an image", "BMI = = 1\n"],
  ["nothing", ""],
  ["escape codes", "print('\x1b[31m'\n"],
  ["Latin-1", "x = '\xe9\xe8'\n"],
])("what may be a script is not: %s", (_, text) => {
  expect(findingsOn(latin1(text)).join()).not.toContain("source.binary");
});
