import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readWithin } from "../src/read-within.js";

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "sluice-within-")));
  for (const folder of ["root/folder", "outside"])
    mkdirSync(join(base, folder), { recursive: true });
  writeFileSync(join(base, "root/folder/a.py"), "inside");
  writeFileSync(join(base, "outside/a.py"), "secret");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test("a folder that is swapped for a link out of the tree, and back, over and over, gives nothing of outside", async () => {
  symlinkSync(join(base, "outside"), join(base, "root/link"));
  const swaps = `import { renameSync as r } from "node:fs";
    process.chdir(${JSON.stringify(join(base, "root"))});
    for (;;) { r("folder", "real"); r("link", "folder"); r("folder", "link"); r("real", "folder"); }`;
  const swapper = execFile(process.execPath, ["--input-type=module", "-e", swaps]);
  const read = new Map<string, number>();
  try {
    for (let attempts = 0; attempts < 4_000; attempts += 1) {
      const what = await readWithin(join(base, "root"), "folder/a.py", 100).then(
        String,
        (error: Error) => error.constructor.name,
      );
      read.set(what, (read.get(what) ?? 0) + 1);
    }
  } finally {
    swapper.kill("SIGKILL");
  }
  expect(read.get("inside")).toBeGreaterThan(0);
  expect(read.get("RefusedError")).toBeGreaterThan(0);
  expect([...read.keys()]).not.toContain("secret");
});
