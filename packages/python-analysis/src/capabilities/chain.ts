import type { SyntaxNode } from "../structure/types.js";
import { argumentOf } from "./arguments.js";
import type { Evaluation } from "./evaluate.js";
import { operands, type Names } from "./names.js";

const LONGEST_TEXT = 80;
const MOST_STEPS = 6;

/** Source text on one line, cut where it is long. */
export function excerpt(node: SyntaxNode, longest = LONGEST_TEXT): string {
  const text = node.text
    .slice(0, longest * 2)
    .replace(/\s+/g, " ")
    .trim();
  return text.length > longest || node.endIndex - node.startIndex > longest * 2
    ? `${text.slice(0, longest - 1)}…`
    : text;
}

/**
 * How a reference came by its meaning: what is written there, then, step by step, the statements that bound its names, such as
 * `o.system`, `import os as o`.
 */
export function chainOf(reference: SyntaxNode, names: Names, evaluation: Evaluation): string[] {
  const chain = [excerpt(reference)];
  const seen = new Set<SyntaxNode>();
  for (
    let node: SyntaxNode | null = reference;
    node && chain.length < MOST_STEPS && !seen.has(node);
  ) {
    seen.add(node);
    const root = rootName(node);
    const bindings =
      (root &&
        names.references.get(root)?.variables.flatMap(({ bindings }) => bindings.slice(0, 20))) ??
      [];
    const binding =
      bindings.find(({ origin }) => origin.kind === "import") ??
      bindings.find(
        ({ origin }) => origin.kind === "expression" && leadsAnywhere(origin.node, evaluation),
      ) ??
      bindings.find(({ origin }) => origin.kind === "annotation");
    if (!binding) break;
    const step = excerpt(binding.place);
    if (chain.at(-1) !== step) chain.push(step);
    node = binding.origin.kind === "expression" ? binding.origin.node : null;
  }
  return chain;
}

function leadsAnywhere(node: SyntaxNode, evaluation: Evaluation): boolean {
  return evaluation
    .values(node)
    .some(({ kind }) => kind !== "opaque" && kind !== "string" && kind !== "class");
}

/** The name at the root of an expression: `o` in `o.system`, in `getattr(o, "system")` and in `(o).path`. */
function rootName(node: SyntaxNode): SyntaxNode | null {
  let root: SyntaxNode | null = node;
  while (root && root.type !== "identifier") {
    if (root.type === "call") {
      const callee: SyntaxNode | null = root.childForFieldName("function");
      const argument: SyntaxNode | undefined = argumentOf(root, 0, null);
      root =
        callee?.type === "identifier" && callee.text === "getattr" && argument ? argument : callee;
    } else {
      root = operands(root)[0] ?? null;
    }
  }
  return root;
}
