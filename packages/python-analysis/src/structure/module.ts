import { isBody } from "./bodies.js";
import { endLine } from "./definitions.js";
import { isTrivia, statements } from "./statements.js";
import { stringValue, withoutParentheses } from "./strings.js";
import type { ParsedModule, SyntaxNode } from "./types.js";

/** More than this nobody writes by hand, and each change may copy them. */
const MOST_NAMES = 5_000;

/** Methods that leave a list as it is. */
const READS: ReadonlySet<string> = new Set(["copy", "count", "index"]);

/**
 * The names in a module's `__all__`, `null` without one. It is followed through assignments, `+=`, `append`, `extend` and `remove` of
 * constants at the top level; anything else that may change it, such as one of them in an `if`, makes it unknown: `null` too.
 */
export function exportedNames(parsed: ParsedModule): string[] | null {
  if (!parsed.text.includes("__all__")) return null;
  if (isGlobalSomewhere(parsed)) return null;
  let names: string[] | null = null;
  const done = new Set<SyntaxNode>();
  for (const node of outsideOfBodies(parsed)) {
    if (!isAll(node)) continue;
    const statement = statementOf(node);
    if (done.has(statement)) continue;
    done.add(statement);
    const change: string[] | null | undefined =
      statement.parent === parsed.root ? readChange(statement, names) : undefined;
    if (change !== undefined) names = change;
    else if (mayChange(statement)) names = null;
  }
  return names;
}

function isGlobalSomewhere(parsed: ParsedModule): boolean {
  if (!parsed.text.includes("global")) return false;
  for (const node of statements(parsed)) {
    if (node.type === "global_statement" && node.namedChildren.some(isAll)) return true;
  }
  return false;
}

/** The named nodes of a module that are in no function, lambda or class, in order of place. */
function* outsideOfBodies(parsed: ParsedModule): Generator<SyntaxNode, void, undefined> {
  const pending = [parsed.root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    yield node;
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i]!;
      if (child.isNamed && !isBody(child)) pending.push(child);
    }
  }
}

/** The simple statement or the compound one in whose head a node stands. */
function statementOf(node: SyntaxNode): SyntaxNode {
  let statement = node;
  while (
    statement.parent &&
    statement.parent.type !== "module" &&
    statement.parent.type !== "block"
  )
    statement = statement.parent;
  return statement;
}

/** `__all__` after a statement that does something known to it. */
function readChange(statement: SyntaxNode, before: string[] | null): string[] | null | undefined {
  const expression = statement.type === "expression_statement" ? onlyPart(statement) : undefined;
  if (!expression) return undefined;
  if (expression.type === "assignment") return readAssignment(expression, before);
  if (expression.type === "augmented_assignment") {
    const { left, right } = sides(expression);
    if (!isAll(left) || expression.childForFieldName("operator")?.text !== "+=") return undefined;
    return extended(before, right && namesIn(right, before));
  }
  return expression.type === "call" ? readCall(expression, before) : undefined;
}

function readAssignment(
  assignment: SyntaxNode,
  before: string[] | null,
): string[] | null | undefined {
  let isTarget = false;
  let value: SyntaxNode | null = assignment;
  while (value?.type === "assignment") {
    const { left, right } = sides(value);
    if (isAll(left)) isTarget = true;
    value = right;
  }
  // `__all__: list[str]` only says what it will be.
  if (isTarget && !value) return before;
  return isTarget && value ? namesIn(value, before) : undefined;
}

function readCall(call: SyntaxNode, before: string[] | null): string[] | null | undefined {
  const callee = call.childForFieldName("function");
  if (callee?.type !== "attribute" || !isAll(callee.childForFieldName("object"))) return undefined;
  const method = callee.childForFieldName("attribute")?.text ?? "";
  if (READS.has(method)) return before;
  const given = call
    .childForFieldName("arguments")
    ?.namedChildren.filter((each) => !isTrivia(each));
  const [argument] = given ?? [];
  if (!argument || given?.length !== 1) return null;
  if (method === "extend") return extended(before, namesIn(argument, before));
  const name = stringValue(argument);
  if (name === null) return null;
  if (method === "append") return extended(before, [name]);
  const at = before?.indexOf(name) ?? -1;
  return before && method === "remove" && at >= 0 ? before.toSpliced(at, 1) : null;
}

/** Whether a statement that is not understood may bind, delete or change `__all__`, and does not only read it. */
function mayChange(statement: SyntaxNode): boolean {
  const pending = [statement];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.type === "identifier" && node.text === "__all__" && isChanged(node, statement))
      return true;
    if (node.type !== "block") pending.push(...node.children);
  }
  return false;
}

function isChanged(name: SyntaxNode, statement: SyntaxNode): boolean {
  for (let node = name; node !== statement && node.parent; node = node.parent) {
    const outer = node.parent;
    if (outer.type === "attribute" && node.field === "object") {
      return (
        outer.parent?.type === "call" &&
        !READS.has(outer.childForFieldName("attribute")?.text ?? "")
      );
    }
    if (node.field === "left" && /assignment$|^for_/.test(outer.type)) return true;
    if (node.field === "name" && outer.type === "named_expression") return true;
    if (/^(?:as_pattern_target|case_pattern)$/.test(outer.type)) return true;
  }
  return /^(?:delete|import|import_from|global)_statement$/.test(statement.type);
}

/** The strings of lists and tuples, and of sums of them. */
function namesIn(node: SyntaxNode, before: string[] | null): string[] | null {
  const names: string[] = [];
  const pending = [node];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const value = withoutParentheses(next);
    const { left, right } = sides(value);
    if (left && right && value.childForFieldName("operator")?.type === "+") {
      pending.push(right, left);
      continue;
    }
    const more = isAll(value) ? before : stringsOf(value);
    if (!extended(names, more)) return null;
  }
  return names;
}

function stringsOf({ type, namedChildren }: SyntaxNode): string[] | null {
  if (type !== "list" && type !== "tuple" && type !== "expression_list") return null;
  const strings = namedChildren.filter((child) => !isTrivia(child)).map(stringValue);
  return strings.every((each) => each !== null) ? strings : null;
}

/** Puts more names behind those before, in place, so that many small changes are not slow. */
function extended(before: string[] | null, more: string[] | null): string[] | null {
  if (!before || !more || before.length + more.length > MOST_NAMES) return null;
  // Not all at once, since arguments are put on the stack; and not of what grows with it.
  const count = more.length;
  for (let i = 0; i < count; i++) before.push(more[i]!);
  return before;
}

function sides(node: SyntaxNode) {
  return { left: node.childForFieldName("left"), right: node.childForFieldName("right") };
}

function isAll(node: SyntaxNode | null): boolean {
  return node?.type === "identifier" && node.text === "__all__";
}

function onlyPart(node: SyntaxNode): SyntaxNode | undefined {
  const parts = node.children.filter((child) => !isTrivia(child));
  return parts.length === 1 ? parts[0] : undefined;
}

/** The lines of the first `if __name__ == "__main__":`, in either order, that stands in no function or class. */
export function entryPoint(
  parsed: ParsedModule,
): { line_number: number; end_line_number: number } | null {
  if (!parsed.text.includes("__main__")) return null;
  for (const node of statements(parsed)) {
    if (node.type !== "if_statement" || !isEntryPoint(node)) continue;
    return {
      line_number: parsed.position(node.startIndex).line,
      end_line_number: endLine(parsed, node),
    };
  }
  return null;
}

function isEntryPoint(statement: SyntaxNode): boolean {
  const condition = statement.childForFieldName("condition");
  const comparison = condition && withoutParentheses(condition);
  if (comparison?.type !== "comparison_operator") return false;
  const [left, operator, right, more] = comparison.children.filter((child) => !isTrivia(child));
  if (!left || !right || more || operator?.text !== "==") return false;
  const isName = (node: SyntaxNode) => node.type === "identifier" && node.text === "__name__";
  const isMain = (node: SyntaxNode) => stringValue(node) === "__main__";
  const [a, b] = [withoutParentheses(left), withoutParentheses(right)];
  if (!(isName(a) && isMain(b)) && !(isMain(a) && isName(b))) return false;
  for (let outer = statement.parent; outer; outer = outer.parent) {
    if (outer.type === "function_definition" || outer.type === "class_definition") return false;
  }
  return true;
}
