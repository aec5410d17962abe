import { applyTo } from "./calls.js";
import { evaluateNode } from "./expressions.js";
import { runBlock } from "./statements.js";
import type { SyntaxNode } from "../../structure/types.js";
import { operands } from "../names.js";
import { docstring } from "./attributes.js";
import { Frame } from "./frame.js";
import { Interpreter, type NestedCode } from "./interpreter.js";
import { Budget } from "./limits.js";
import type { Folding } from "./record.js";
import { survey } from "./survey.js";

/** What is folded. */
export interface Foldable {
  readonly root: SyntaxNode;
  /** Those of the module and of all code in its constant strings. */
  readonly nodes: readonly SyntaxNode[];
  /** Of all of that, in characters. */
  readonly length: number;
  codeRunBy(call: SyntaxNode): readonly NestedCode[];
}

/**
 * Finds the constant texts and bytes that expressions are: put together, encoded, counted out, held in names and containers, or
 * made by the script's own functions. The work is linear in the length of the script.
 */
export function fold(code: Foldable, isBuiltin: (name: string) => boolean): Folding {
  const run = new Interpreter(
    code.nodes.length,
    new Budget(code.length),
    {
      survey: survey(code.nodes),
      isBuiltin,
      codeRunBy: (call) => code.codeRunBy(call),
    },
    {
      evaluate: evaluateNode,
      run: runBlock,
      call: (run, callee, given) => applyTo(run, callee, given, null, null),
    },
  );
  const frame = new Frame("module", null);
  run.bind(frame, "__doc__", docstring(run, code.root, frame));
  run.run(operands(code.root), frame);
  run.runPending();
  return run.record;
}
