import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fold } from "../../../src/capabilities/folding/fold.js";
import { capabilityMap } from "../../../src/capabilities/map.js";
import { parseModule } from "../../../src/structure/parse.js";
import type { Python } from "../../../src/verdict/python.js";
import { describeNative } from "../../native-python.js";
import { expressions } from "./expressions.js";

const SEED = 20_261_125;
const NUMBER = 4_000;
const IMPORTS = "import base64, binascii, codecs, functools, itertools, re\n";

type Answer = readonly ["str" | "bytes", string] | null;

/** What folding makes of an expression, perhaps one of several; none when it does not know for certain. */
async function folded(expression: string): Promise<Answer[]> {
  const { root, nodes, text, hasError } = await parseModule(`${IMPORTS}x = (${expression})\n`);
  // Where tree-sitter does not understand what Python does, nothing can be expected.
  if (hasError) return [];
  const right = root.namedChildren.at(-1)!.namedChildren[0]!.childForFieldName("right")!;
  const code = { root, nodes, length: text.length, codeRunBy: () => [] };
  const result = fold(code, (name) => capabilityMap().isBuiltin(name)).of(right);
  if (!result?.isExact) return [];
  return result.options.map(({ type, text: value }) => {
    return [type, type === "str" ? value : Buffer.from(value, "latin1").toString("hex")];
  });
}

function evaluated(python: Python, all: readonly string[]): Answer[] {
  const oracle = fileURLToPath(new URL("oracle.py", import.meta.url));
  const { stdout, stderr } = spawnSync(python.path!, [oracle], {
    input: JSON.stringify(all),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as Answer[];
}

describeNative("constant expressions", (python) => {
  test("fold to what Python makes of them, nearly all of them", { timeout: 120_000 }, async () => {
    const sample = fc.sample(fc.oneof(expressions.text, expressions.bytes), {
      seed: SEED,
      numRuns: NUMBER,
    });
    const truths = evaluated(python, sample);
    const wrong: unknown[] = [];
    let known = 0;
    for (const [i, expression] of sample.entries()) {
      const answers = await folded(expression);
      const truth = truths[i]!;
      // Where Python raises, nobody gets to see what folding makes of the rest.
      if (answers.length === 0 || truth === null) continue;
      known++;
      if (!answers.some((answer) => isDeepStrictEqual(answer, truth)))
        wrong.push({ expression, answers, truth });
    }
    expect(wrong).toEqual([]);
    const possible = truths.filter((truth) => truth !== null).length;
    expect(possible).toBeGreaterThan(NUMBER / 2);
    expect(known).toBeGreaterThan(possible * 0.9);
  });
});
