/** Search over files of Python's standard library, held against `grep` and against Python's own parser. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Catalog } from "@sluice/catalog";
import { FileSystemObjectStore } from "@sluice/object-store";
import { parseQuery, SearchThreads, type SearchSpec } from "@sluice/search";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type SearchHit,
  type SearchPosition,
  searchScripts,
} from "../../services/ingest/src/search/engine.js";
import { openFreshCatalog } from "../catalog/fixture.js";
import { realScripts } from "../fault/real-scripts.js";
import { describeWith, sharedPostgres, temporaryDirectory } from "../servers/index.js";
import { addScript, indexAll } from "./fixture.js";

/** What each file imports, takes from modules and defines: one line of JSON a file. */
const PYTHON_FACTS = `
import ast, json, sys, warnings
warnings.simplefilter("ignore")
for path in sys.argv[1:]:
    facts = {"import": set(), "function": set(), "class": set()}
    with open(path, "rb") as source:
        tree = ast.parse(source.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            facts["import"].update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            facts["import"].add(module)
            before = module + "." if node.module else module
            facts["import"].update(before + alias.name for alias in node.names if alias.name != "*")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            facts["function"].add(node.name)
        elif isinstance(node, ast.ClassDef):
            facts["class"].add(node.name)
    print(json.dumps({kind: sorted(names) for kind, names in facts.items()}))
`;
/** Lines that are shown of one script. */
const MOST_LINES = 20;

interface Options {
  readonly regex?: boolean;
  readonly word?: boolean;
  readonly caseSensitive?: boolean;
}

describeWith(["postgres"], "search of real scripts", () => {
  const directory = join(temporaryDirectory(), "scripts");
  const scripts = realScripts(420)
    .map(({ filename, content }) => ({ filename, text: content.toString("utf8"), content }))
    // Of what is a line, and of bytes that are no text, grep and Python think otherwise.
    .filter(({ text, content }) => Buffer.from(text).equals(content) && !/[\r\0]/.test(text))
    // From all over the library, and none that takes as long as ten others.
    .filter(({ content }) => content.length < 30_000)
    .filter((_, index) => index % 6 === 0);
  const threads = new SearchThreads(1, 64);
  let catalog: Catalog;

  beforeAll(async () => {
    catalog = await openFreshCatalog(sharedPostgres());
    const objects = await FileSystemObjectStore.open(temporaryDirectory());
    mkdirSync(directory);
    await Promise.all(
      scripts.map(({ filename, text }) => {
        writeFileSync(join(directory, filename), text);
        return addScript({ catalog, objects }, { filename, text });
      }),
    );
    await indexAll({ catalog, objects });
    expect(scripts.length).toBeGreaterThan(50);
  });
  afterAll(async () => {
    await threads.close();
    await catalog.close();
  });

  async function find(spec: SearchSpec): Promise<SearchHit[]> {
    const items: SearchHit[] = [];
    let at: SearchPosition | undefined;
    do {
      const asked = { at, limit: 100, timeMs: 60_000 };
      const page = await searchScripts({ catalog, threads }, spec, asked);
      items.push(...page.items);
      at = page.next;
    } while (at !== undefined);
    return items;
  }

  /** `file:line`, the first of each file. */
  async function found(text: string, options: Options): Promise<string[]> {
    const { regex = false, word = false, caseSensitive = false } = options;
    const hits = await find({
      texts: [{ text, negated: false, at: 0 }],
      fields: [],
      options: { regex, word, caseSensitive },
      places: ["content"],
    });
    return hits
      .flatMap(({ script, found: { matches } }) =>
        matches.map(({ line }) => `${script.filename}:${line}`),
      )
      .toSorted();
  }

  function grepped(text: string, { regex, word, caseSensitive }: Options): string[] {
    const flags = [regex ? "-E" : "-F", ...(word ? ["-w"] : []), ...(caseSensitive ? [] : ["-i"])];
    const args = ["-rna", `-m${MOST_LINES}`, ...flags, "-e", text, "."];
    // RE2's \\w is of ASCII.
    const env = { ...process.env, LC_ALL: regex ? "C" : "C.UTF-8" };
    const { stdout, status } = spawnSync("grep", args, { cwd: directory, encoding: "utf8", env });
    expect(status).toBeLessThan(2);
    return stdout
      .split("\n")
      .flatMap((line) => /^\.\/([^:]+:\d+):/.exec(line)?.[1] ?? [])
      .toSorted();
  }

  /** Texts of 1 to 24 characters out of the scripts themselves, every second a whole word. */
  const texts = Array.from({ length: 30 }, (_, index) => {
    const { text } = scripts[(index * 37) % scripts.length]!;
    const lines = text.split("\n").filter((line) => /[a-z]{3}/i.test(line));
    const line = lines[(index * 7_919) % lines.length]!.trim();
    if (index % 2 === 0) return /[a-z]{3,}/i.exec(line)![0];
    const start = (index * 5) % Math.max(1, line.length - 8);
    return line.slice(start, start + 1 + ((index * 11) % 24)).trim();
  }).filter((text) => /^[\x20-\x7e]+$/.test(text));
  /** Every third in capitals instead. */
  const patterns = texts.map((text, index) => (index % 3 === 2 ? text.toUpperCase() : text));

  test.each([
    ["as it is", { caseSensitive: true }],
    ["case ignored", {}],
    ["whole words", { caseSensitive: true, word: true }],
    ["whole words, case ignored", { word: true }],
  ] satisfies [string, Options][])(
    "finds the lines that grep finds: %s",
    async (_name, options) => {
      let some = 0;
      for (const text of [...patterns, "import os"]) {
        const expected = grepped(text, options);
        expect(await found(text, options), text).toEqual(expected);
        if (expected.length > 0) some++;
      }
      expect(some).toBeGreaterThan(10);
    },
  );

  test.each([
    String.raw`def \w+\(self`,
    String.raw`^import \w+$`,
    "[A-Z]{3,}_[A-Z]+",
    "return (None|True|False)$",
    String.raw`^ +raise \w+Error\(`,
    String.raw`(import|from) (os|sys)\b`,
    String.raw`\.join\(.* for `,
    "[0-9]+\\.[0-9]+",
    "a?b?c?d{2,}e*",
    "^$",
    "no_such_[a-z]+_thing",
  ])("finds the lines that grep -E finds: %s", async (expression) => {
    for (const caseSensitive of [true, false]) {
      const options = { regex: true, caseSensitive };
      expect(await found(expression, options)).toEqual(grepped(expression, options));
    }
  });

  test("finds who imports and defines what Python sees them import and define, and nobody else", async () => {
    const paths = scripts.map(({ filename }) => join(directory, filename));
    const lines = execFileSync("python3", ["-c", PYTHON_FACTS, ...paths], { encoding: "utf8" });
    const facts = lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string[]>);
    for (const field of ["import", "function", "class"]) {
      const names = [...new Set(facts.flatMap((each) => each[field]!))].toSorted();
      const step = Math.ceil(names.length / 60);
      for (const name of names.filter((_, index) => index % step === 0)) {
        const expected = scripts
          .filter((_, index) =>
            facts[index]![field]!.some(
              (each) => each === name || (field === "import" && each.startsWith(`${name}.`)),
            ),
          )
          .map(({ filename }) => filename);
        const options = { regex: false, word: false, caseSensitive: true };
        const hits = await find({ ...parseQuery(`${field}:${name}`), options, places: undefined });
        const got = hits.map(({ script }) => script.filename);
        expect(got.toSorted(), `${field}:${name}`).toEqual(expected.toSorted());
      }
    }
  });
});
