import { enclosingDefinition, isTrivia } from "./structure/statements.js";
import { withoutParentheses } from "./structure/strings.js";
import type { ParsedModule, SyntaxNode } from "./structure/types.js";

/** Each adds one, and one more for each level of nesting. */
const STRUCTURES: ReadonlySet<string> = new Set([
  "if_statement",
  "for_statement",
  "while_statement",
  "match_statement",
  "except_clause",
  "conditional_expression",
]);

/** What is in this field of it is nested a level deeper. */
const NESTING_FIELDS: Readonly<Record<string, string>> = {
  if_statement: "consequence",
  elif_clause: "consequence",
  for_statement: "body",
  while_statement: "body",
  match_statement: "body",
  function_definition: "body",
  lambda: "body",
};

interface Entry {
  readonly node: SyntaxNode;
  readonly nesting: number;
  /** The function in whose body it stands. */
  readonly owner: Total | null;
}

class Total {
  /** Nesting as counted from the module. */
  points = 0;
  /** How many of the increments took nesting into account. */
  structures = 0;
  isRecursive = false;
  readonly name: string | undefined;

  constructor(
    node: SyntaxNode,
    /** Of its body. */
    readonly nesting: number,
    readonly outer: Total | null,
  ) {
    // A method is not called by its plain name.
    const isMethod = enclosingDefinition(node)?.type === "class_definition";
    this.name = isMethod ? undefined : node.childForFieldName("name")?.text;
  }

  add(points: number, structures = 0): void {
    this.points += points;
    this.structures += structures;
  }

  get complexity(): number {
    return this.points - this.structures * this.nesting + (this.isRecursive ? 1 : 0);
  }
}

/**
 * The cognitive complexity of every `function_definition`, as the white paper by G. Ann Campbell (SonarSource) defines it.
 *
 * For Python that is: `if`, loops, `match`, `except` and conditional expressions add 1 and their level of nesting; an `elif` and the `else`
 * of an `if` or a loop add 1, as does each sequence of like logical operators, and that a function calls itself by its name. Functions
 * and lambdas inside count in the outer function, a level deeper. A function that has nothing but a function and a `return` (a
 * decorator) is as complex as the one inside.
 *
 * @see https://www.sonarsource.com/resources/cognitive-complexity/
 */
export function cognitiveComplexities(parsed: ParsedModule): Map<SyntaxNode, number> {
  const totals = new Map<SyntaxNode, Total>();
  const pending: Entry[] = [{ node: parsed.root, nesting: 0, owner: null }];
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    const { node, owner, nesting } = entry;
    let body = owner;
    if (node.type === "function_definition") {
      body = new Total(node, nesting + 1, owner);
      totals.set(node, body);
    } else if (STRUCTURES.has(node.type)) owner?.add(1 + nesting, 1);
    else if (continues(node) || startsSequence(node)) owner?.add(1);
    else if (node.type === "call") noteRecursion(node, owner);
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i]!;
      if (!child.isNamed) continue;
      pending.push({
        node: child,
        nesting: nests(node, child) ? nesting + 1 : nesting,
        owner: child.field === "body" ? body : owner,
      });
    }
  }
  const complexities = new Map<SyntaxNode, number>();
  // Functions come before those inside them.
  for (const [node, total] of [...totals].toReversed()) {
    const inner = decorating(node);
    complexities.set(node, (inner && complexities.get(inner)) ?? total.complexity);
    total.outer?.add(total.points, total.structures);
  }
  return complexities;
}

function nests(node: SyntaxNode, child: SyntaxNode): boolean {
  if (node.type === "conditional_expression") return true;
  if (node.type === "except_clause") return child.type === "block";
  if (node.type === "else_clause") return continues(node) && child.field === "body";
  return child.field !== null && NESTING_FIELDS[node.type] === child.field;
}

/** Whether a clause goes on with an `if` or a loop. The `else` of a `try` is but the rest of its body. */
function continues({ type, parent }: SyntaxNode): boolean {
  return type === "elif_clause" || (type === "else_clause" && parent?.type !== "try_statement");
}

/** Whether a logical operator differs from the one before it in the same expression, whatever parentheses there are. */
function startsSequence(node: SyntaxNode): boolean {
  if (node.type !== "boolean_operator") return false;
  const left = node.childForFieldName("left");
  const first = left && withoutParentheses(left);
  const before = first?.type === "boolean_operator" ? lastOperator(first) : operatorBefore(node);
  return before !== operatorOf(node);
}

function lastOperator(node: SyntaxNode): string | undefined {
  let last = node;
  for (;;) {
    const right = last.childForFieldName("right");
    const next = right && withoutParentheses(right);
    if (next?.type !== "boolean_operator") return operatorOf(last);
    last = next;
  }
}

function operatorBefore(node: SyntaxNode): string | undefined {
  let inner = node;
  for (let outer = node.parent; outer; inner = outer, outer = outer.parent) {
    if (outer.type === "parenthesized_expression") continue;
    if (outer.type !== "boolean_operator") return undefined;
    if (inner.field === "right") return operatorOf(outer);
  }
  return undefined;
}

function operatorOf(node: SyntaxNode): string | undefined {
  return node.childForFieldName("operator")?.type;
}

function noteRecursion(call: SyntaxNode, caller: Total | null): void {
  const callee = call.childForFieldName("function");
  if (callee?.type !== "identifier") return;
  for (let owner = caller; owner; owner = owner.outer) {
    if (owner.name === callee.text) owner.isRecursive = true;
  }
}

/** The function inside one that has only that and a `return`. */
function decorating(node: SyntaxNode): SyntaxNode | undefined {
  if (node.children[0]?.type === "async") return undefined;
  const statements = node
    .childForFieldName("body")
    ?.namedChildren.filter((child) => !isTrivia(child));
  const [first, second, more] = statements ?? [];
  if (!first || second?.type !== "return_statement" || more) return undefined;
  const inner =
    first.type === "decorated_definition" ? first.childForFieldName("definition") : first;
  const isFunction = inner?.type === "function_definition" && inner.children[0]?.type !== "async";
  return isFunction ? inner : undefined;
}
