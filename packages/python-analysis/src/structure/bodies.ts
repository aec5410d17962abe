import { enclosingDefinition, statements } from "./statements.js";
import type { ParsedModule, SyntaxNode } from "./types.js";

/** What the statements in the bodies of functions say of them, whatever is in functions and classes inside. */
export interface Bodies {
  /** Functions that yield. */
  readonly generators: ReadonlySet<SyntaxNode>;
  /** Source text of what each function raises itself, each once, in order of place. */
  readonly raises: ReadonlyMap<SyntaxNode, ReadonlySet<string>>;
}

/** Looks into all functions at once. */
export function readBodies(parsed: ParsedModule): Bodies {
  return { generators: findGenerators(parsed), raises: findRaises(parsed) };
}

function findGenerators(parsed: ParsedModule): Set<SyntaxNode> {
  const generators = new Set<SyntaxNode>();
  if (!parsed.text.includes("yield")) return generators;
  for (const [node, owner] of withOwners(parsed)) {
    if (node.type === "yield" && node.isNamed && owner) generators.add(owner);
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

/**
 * Every node with the function, lambda or class in whose body it stands, `null` for the module. Decorators, defaults, annotations and
 * base classes belong to what is around.
 */
export function* withOwners(
  parsed: ParsedModule,
): Generator<readonly [SyntaxNode, owner: SyntaxNode | null], void, undefined> {
  const pending: (readonly [SyntaxNode, SyntaxNode | null])[] = [[parsed.root, null]];
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    yield entry;
    const [node, owner] = entry;
    const owns =
      node.isNamed &&
      (node.type === "function_definition" ||
        node.type === "class_definition" ||
        node.type === "lambda");
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i]!;
      pending.push([child, owns && child.field === "body" ? node : owner]);
    }
  }
}
