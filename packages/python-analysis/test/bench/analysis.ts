/**
 * What each part of the analysis of a script costs, over the .py files below a directory but for those of site-packages and tests,
 * in one thread and without CPython's verdict. The parts take turns file by file and round by round, so that a busy machine
 * slows all of them alike; trust the ratios.
 *
 *     npm run bench -w packages/python-analysis -- /usr/lib/python3.11 [ROUNDS]
 *
 * Each part is timed without those before it: they hand it what it needs. "parse" is tree-sitter alone, which is the baseline.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Language, Parser } from "web-tree-sitter";
import { resolveUses, type Resolution } from "../../src/capabilities/uses.js";
import { measureComplexity } from "../../src/complexity.js";
import { decodeSource, type DecodedText } from "../../src/decode.js";
import { callFindings } from "../../src/findings/calls.js";
import { lineEndFindings, textFindings, tokenFindings } from "../../src/findings/text.js";
import { malwareFindings } from "../../src/malware/threats.js";
import { extractMetadata } from "../../src/metadata.js";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { buildReport } from "../../src/report.js";
import { collectDefinitions } from "../../src/structure/definitions.js";
import { readStructure } from "../../src/structure/facts.js";
import { parseModule } from "../../src/structure/parse.js";
import type { ParsedModule } from "../../src/structure/types.js";

const BASELINE = "parse";

const [directory, rounds = "5"] = process.argv.slice(2);
if (directory === undefined || !(Number(rounds) > 0)) {
  process.stderr.write("usage: analysis.ts DIRECTORY [ROUNDS]\n");
  process.exit(2);
}

/** What the earlier parts made of a file. */
interface Work {
  readonly source: Buffer;
  decoded?: DecodedText;
  parsed?: ParsedModule;
  resolution?: Resolution;
}

type Part = (work: Work) => unknown;

// First, as it wants to start tree-sitter itself.
await parseModule("");
const parser = await newParser();
const parts: Record<string, Part> = {
  decode: (work) => {
    const decoded = decodeSource(work.source);
    if (decoded.ok) work.decoded = decoded;
  },
  [BASELINE]: ({ decoded }) => parser.parse(decoded!.text)?.delete(),
  "parse and copy": async (work) => (work.parsed = await parseModule(work.decoded!.text)),
  definitions: ({ parsed }) => collectDefinitions(parsed!),
  structure: ({ parsed }) => readStructure(parsed!),
  complexity: ({ parsed }) => measureComplexity(parsed!),
  capabilities: (work) => (work.resolution = resolveUses(work.parsed!)),
  findings: ({ source, parsed, resolution }) => [
    lineEndFindings(source),
    textFindings(parsed!),
    tokenFindings(parsed!),
    callFindings(parsed!, resolution!),
  ],
  malware: ({ parsed, resolution }) => malwareFindings(parsed!, resolution!),
  "whole report": ({ source, decoded, parsed }) =>
    buildReport({
      source,
      decoded: decoded!,
      verdict: { valid: true, error: null, killed: null },
      parsed,
      policy: DEFAULT_POLICY,
    }),
  metadata: ({ parsed }) => extractMetadata(parsed!),
};

await measure(readSources(directory), Number(rounds));

async function measure(sources: readonly Buffer[], rounds: number): Promise<void> {
  const times = new Map(Object.keys(parts).map((name) => [name, 0]));
  // The first round only warms the compiler up.
  for (let round = 0; round <= rounds; round++) {
    for (const source of sources) {
      const work: Work = { source };
      for (const [name, part] of Object.entries(parts)) {
        if (name !== "decode" && !work.decoded) continue;
        const begun = process.cpuUsage();
        await part(work);
        const { user, system } = process.cpuUsage(begun);
        if (round > 0) times.set(name, times.get(name)! + (user + system) / 1000);
      }
    }
  }
  const megabytes = sources.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const files = sources.length;
  const baseline = times.get(BASELINE)!;
  process.stdout.write(
    `${files} files of ${((megabytes * 1000) / files).toFixed(1)} KB on average, ${rounds} rounds\n`,
  );
  process.stdout.write(`${"part".padEnd(16)} ms/file    MB/s  × ${BASELINE}\n`);
  for (const [name, time] of times) {
    const columns = [
      name.padEnd(16),
      (time / rounds / files).toFixed(3).padStart(7),
      ((megabytes * rounds * 1000) / time).toFixed(1).padStart(7),
      (time / baseline).toFixed(2).padStart(8),
    ];
    process.stdout.write(`${columns.join(" ")}\n`);
  }
}

async function newParser(): Promise<Parser> {
  await Parser.init();
  const wasm = createRequire(import.meta.url).resolve("tree-sitter-python/tree-sitter-python.wasm");
  return new Parser().setLanguage(await Language.load(wasm));
}

function readSources(root: string): Buffer[] {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".py") && !/(?:^|\/)(?:site-packages|tests?|idle_test)\//.test(path),
  );
  if (paths.length === 0) throw new Error(`no .py files below ${root}`);
  return paths.map((path) => readFileSync(join(root, path)));
}
