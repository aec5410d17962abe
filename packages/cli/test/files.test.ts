import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findFiles } from "../src/files/find.js";
import { splitNames } from "../src/files/list.js";
import { nameText } from "../src/files/name.js";
import { UsageError } from "../src/usage-error.js";
import { scratchDirectory } from "./sluice.js";

const top = scratchDirectory();

describe("a list of names", () => {
  const split = async (separator: "line" | "nul", ...chunks: (string | Buffer)[]) => {
    async function* list() {
      for (const chunk of chunks) yield Buffer.from(chunk as string);
    }
    const names: string[] = [];
    for await (const name of splitNames(list(), separator)) names.push(name.toString("latin1"));
    return names;
  };

  test("has one a line, however it is cut into pieces", async () => {
    expect(await split("line", "a.p", "y\nb c.py\r", "\n\n\n-d.py")).toEqual([
      "a.py",
      "b c.py",
      "-d.py",
    ]);
    expect(await split("line")).toEqual([]);
    expect(await split("line", "\n")).toEqual([]);
  });

  test("separated by NUL keeps line ends, and bytes as they are", async () => {
    const bytes = Buffer.from("c\xff\0", "latin1");
    expect(await split("nul", "a\nb.py\0\0x\r\0", bytes, "last")).toEqual([
      "a\nb.py",
      "x\r",
      "c\xff",
      "last",
    ]);
  });

  test("without separators does not fill memory", async () => {
    await expect(split("line", ...Array<string>(100).fill("a".repeat(1_000)))).rejects.toThrow(
      UsageError,
    );
  });
});

test("names are text that can be turned back into their bytes", () => {
  expect(nameText(Buffer.from("naïve 🐍.py"))).toBe("naïve 🐍.py");
  // As os.fsdecode has it.
  expect(nameText(Buffer.from("a\xff\xc3\x28\xf0\x9f\x90\x8d", "latin1"))).toBe("a\udcff\udcc3(🐍");
  expect(nameText(Buffer.from("\xed\xa0\x80", "latin1"))).toBe("\udced\udca0\udc80");
});

test("a directory stands for its Python files, in order", async () => {
  const write = (...path: string[]) => {
    const file = join(top, ...path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, "");
  };
  for (const path of ["b.py", "a/z.py", "a.py", "B.py", "w.pyw", "n.txt", "stub.pyi", "py"])
    write(path);
  for (const path of [".hidden/x.py", ".x.py", "a/__pycache__/x.py", "node_modules/x.py"])
    write(path);
  write("environment", "pyvenv.cfg");
  write("environment", "lib", "x.py");
  mkdirSync(join(top, "directory.py"));
  write("directory.py", "inner.py");
  symlinkSync("b.py", join(top, "link.py"));
  symlinkSync("nowhere", join(top, "broken.py"));
  symlinkSync("a", join(top, "link-to-directory.py"));
  symlinkSync("..", join(top, "a", "loop"));

  const found = async (name: string) => {
    const files: string[] = [];
    for await (const { name: file, error } of findFiles(Buffer.from(name)))
      files.push(`${file.toString().slice(top.length + 1)}${error ? ` ${error.code}` : ""}`);
    return files;
  };
  const expected = [
    "B.py",
    "a/z.py",
    "a.py",
    "b.py",
    "broken.py not-found",
    "directory.py/inner.py",
    "link.py",
    "w.pyw",
  ];
  expect(await found(top)).toEqual(expected);
  expect(await found(join(top, ".hidden"))).toEqual([".hidden/x.py"]);
  expect(await found(join(top, "environment"))).toEqual(["environment/lib/x.py"]);
  expect(await found(join(top, "n.txt"))).toEqual(["n.txt"]);
  expect(await found(join(top, "none"))).toEqual(["none not-found"]);
});
