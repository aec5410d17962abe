import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IgnoreRules, PatternsError } from "../src/ignore-rules.js";
import { walk } from "../src/walk.js";

describe("what is ignored", () => {
  let root: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "sluice-rules-")));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const write = (path: string, text = ""): void => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const walked = async (...patterns: string[]): Promise<string[]> => {
    const rules = await IgnoreRules.read(root, patterns);
    const paths: string[] = [];
    for await (const found of walk({ root, rules, onFolder: () => {} })) {
      paths.push(found.kind === "file" ? found.path : `${found.path}: ${found.code}`);
    }
    return paths.toSorted();
  };

  test("is said by the files of all folders above, and the deepest has the last word", async () => {
    write(".sluiceignore", "*.log\nbuild/\n/top.py\n# a comment\n\n\\#odd.py\n");
    write("sub/.sluiceignore", "!important.log\n!build/\n/only-here.py\ndeep/*.tmp\n");
    write("other/.sluiceignore", "*\n!kept.py\n");
    for (const path of [
      "a.log",
      "build/x.py",
      "top.py",
      "#odd.py",
      "sub/top.py",
      "sub/important.log",
      "sub/b.log",
      "sub/build/y.py",
      "sub/only-here.py",
      "sub/sub/only-here.py",
      "sub/deep/z.tmp",
      "sub/sub/deep/z.tmp",
      "sub/sub/important.log",
      "other/gone.py",
      "other/kept.py",
      "other/folder/kept.py",
    ])
      write(path);
    expect(await walked()).toEqual([
      "other/kept.py",
      "sub/build/y.py",
      "sub/important.log",
      "sub/sub/deep/z.tmp",
      "sub/sub/important.log",
      "sub/sub/only-here.py",
      "sub/top.py",
    ]);
  });

  test("holds for folders and names with characters that patterns give a meaning", async () => {
    for (const folder of ["a[1]", "b*", "c d", "!e", "#f", "g\\h", "new\nline"]) {
      write(`${folder}/.sluiceignore`, "gone.py\n/first.py\n");
      for (const name of ["gone.py", "first.py", "kept.py", "in/gone.py", "in/first.py"])
        write(`${folder}/${name}`);
    }
    const kept = ["a[1]", "b*", "c d", "!e", "#f", "g\\h", "new\nline"].flatMap((folder) => [
      `${folder}/in/first.py`,
      `${folder}/kept.py`,
    ]);
    expect(await walked()).toEqual(kept.toSorted());
  });

  test("compares in NFC, and tells upper case from lower", async () => {
    write(".sluiceignore", "caf\u00e9.py\nBUILD/\n");
    write("cafe\u0301.py");
    write("build/a.py");
    write("BUILD/b.py");
    write("..a.py");
    expect(await walked("node_modules/")).toEqual(["..a.py", "build/a.py"]);
  });

  test("is everything where its file cannot be read, or would take for ever", async () => {
    write("a/x.py");
    write("a/.sluiceignore", `${"*a".repeat(40)}*b\n`);
    write(`a/${"a".repeat(200)}.py`);
    mkdirSync(join(root, "b/.sluiceignore"), { recursive: true });
    write("b/x.py");
    write("c/x.py");
    write("c/.sluiceignore", "#".repeat(70_000));
    write("d/x.py");
    writeFileSync(join(root, "patterns"), "nothing\n");
    symlinkSync(join(root, "patterns"), join(root, "d/.sluiceignore"));
    write("e/x.py");
    expect(await walked(".*", "patterns")).toEqual([
      "a: unreadable",
      "b: unreadable",
      "c: unreadable",
      "d: unreadable",
      "e/x.py",
    ]);
    const rules = await IgnoreRules.read(root, []);
    await expect(rules.enter("b")).rejects.toThrow(PatternsError);
    expect(rules.ignores("b/x.py")).toBe(true);
    symlinkSync(join(root, "patterns"), join(root, ".sluiceignore"));
    await expect(IgnoreRules.read(root, [])).rejects.toThrow(PatternsError);
  });
});
