import { enclosingDefinition, statements } from "./statements.js";
import type { ParsedModule, SyntaxNode } from "./types.js";

/** What the statements in the bodies of functions say of them, whatever is in functions and classes inside. */
export interface Bodies {
  /** Functions that yield. */
  readonly generators: ReadonlySet<SyntaxNode>;
  /** Source text of what each function raises itself, each once, in order of place. */
  readonly raises: ReadonlyMap<SyntaxNode, ReadonlySet<string>>;
}

const OWNERS: ReadonlySet<string> = new Set(["function_definition", "class_definition", "lambda"]);

/** Looks into all functions at once. */
export function readBodies(parsed: ParsedModule): Bodies {
  return { generators: findGenerators(parsed), raises: findRaises(parsed) };
}

function findGenerators(parsed: ParsedModule): Set<SyntaxNode> {
  const generators = new Set<SyntaxNode>();
  if (!parsed.text.includes("yield")) return generators;
  const pending: (readonly [SyntaxNode, owner: SyntaxNode | null])[] = [[parsed.root, null]];
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    const [node, owner] = entry;
    if (node.type === "yield" && owner) generators.add(owner);
    for (const child of node.children)
      if (child.isNamed) pending.push([child, isBody(child) ? node : owner]);
  }
  return generators;
}

function findRaises(parsed: ParsedModule): Map<SyntaxNode, Set<string>> {
  const raises = new Map<SyntaxNode, Set<string>>();
  if (!parsed.text.includes("raise")) return raises;
  for (const node of statements(parsed)) {
    if (node.type !== "raise_statement") continue;
    const raised = node.namedChildren.find(
      ({ type, field }) => field !== "cause" && type !== "comment" && type !== "line_continuation",
    );
    const owner = enclosingFunction(node);
    if (!raised || !owner) continue;
    const known = raises.get(owner) ?? new Set();
    raises.set(owner, known.add(raised.text));
  }
  return raises;
}

/** The function that runs a statement; the body of a class is run by what is around the class. */
function enclosingFunction(node: SyntaxNode): SyntaxNode | null {
  let outer = enclosingDefinition(node);
  while (outer?.type === "class_definition") outer = enclosingDefinition(outer);
  return outer;
}

/** Whether a node is what a function, lambda or class holds, unlike decorators, defaults and annotations, which what is around evaluates. */
export function isBody({ field, parent }: SyntaxNode): boolean {
  return field === "body" && parent !== null && OWNERS.has(parent.type);
}
