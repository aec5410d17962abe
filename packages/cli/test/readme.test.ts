import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { LONG_MS, scratchDirectory, sluice } from "./sluice.js";

vi.setConfig({ testTimeout: LONG_MS });

const cwd = scratchDirectory();

test("the README makes the scripts of its example, and shows what is written of them", async () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const scripts =
    readme.match(/^(?:printf .* > \w+\.py|cat > \w+\.py <<'END'\n[^]*?\nEND)$/gm) ?? [];
  execFileSync("sh", ["-c", scripts.join("\n")], { cwd });
  const example = /\$ npx sluice (analyse .*)\n([^]*?)```/.exec(readme);
  const { stdout, code } = await sluice(example?.[1]?.split(" ") ?? [], { cwd });
  expect(stdout).toBe(example?.[2]);
  expect(code).toBe(1);
});
