import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { LONG_MS, scratchDirectory, sluice } from "./sluice.js";

vi.setConfig({ testTimeout: LONG_MS });

const cwd = scratchDirectory();
const FILES = {
  "greet.py":
    'def greet(name: str) -> str:\n    """Greet somebody."""\n    return f"Hello, {name}"\n',
  "fetch.py": `"""Fetch settings from another service."""

import json

import requests


def fetch(url: str, retries: int = 3) -> dict:
    """Get the settings."""
    text = requests.get(url, verify=False, timeout=retries * 10).text
    return json.loads(text)
`,
  "total.py": "def total(prices)\n    return sum(prices)\n",
};

test("the README shows what is written of its scripts", async () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const example = /\$ npx sluice (analyse .*)\n([^]*?)```/.exec(readme);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(cwd, name), text);
  const { stdout, code } = await sluice(example?.[1]?.split(" ") ?? [], { cwd });
  expect(stdout).toBe(example?.[2]);
  expect(code).toBe(1);
});
