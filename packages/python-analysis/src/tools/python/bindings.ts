import type { SyntaxNode } from "../../structure/types.js";
import { stringValue } from "../../structure/strings.js";

/** One statement's giving a name a value. */
export interface Binding {
  readonly name: string;
  /** Where the binding takes effect, as an offset into the source. */
  readonly at: number;
  readonly source: BindingSource;
  readonly reach: Reach;
}

export type BindingSource =
  | { readonly kind: "import"; readonly module: string; readonly attribute: string | null }
  | {
      readonly kind: "class" | "function";
      readonly node: SyntaxNode;
      readonly decorators: readonly SyntaxNode[];
    }
  /** `path` leads into an unpacked value: `a, (b, c) = v` binds `c` by `[1, 1]`, and `*a, b = v` binds `b` by `[-1]`. */
  | {
      readonly kind: "assignment";
      readonly value: SyntaxNode;
      readonly path: readonly Step[];
      readonly annotation: SyntaxNode | null;
    }
  | { readonly kind: "augmented"; readonly operator: string; readonly value: SyntaxNode }
  | { readonly kind: "type-alias"; readonly node: SyntaxNode }
  /** A loop variable, an exception, a context manager, a deletion: known only by running. */
  | { readonly kind: "opaque"; readonly reason: string };

/** To an item of an unpacked value, or to those that a starred name takes: all but so many at its start and its end. */
export type Step = number | { readonly before: number; readonly after: number };

/**
 * Whether a binding is reached when the module is imported: `always`; `perhaps`, under a condition that is not known;
 * `fallback`, in an `except` clause; `type-checking`, under `if TYPE_CHECKING`, so never.
 */
export type Reach = "always" | "perhaps" | "fallback" | "type-checking";

export interface Block {
  readonly bindings: ReadonlyMap<string, readonly Binding[]>;
  /** Modules imported with `*`, in order. */
  readonly stars: readonly string[];
  /** Names whose value is changed in place by a statement of the block. */
  readonly changed: ReadonlySet<string>;
}

/** What is known of a condition: Python's `TYPE_CHECKING` is a case of its own. */
export type Condition = boolean | "type-checking" | "unknown";

const CHANGING_METHODS = new Set(
  "append extend insert add update remove discard pop popitem clear setdefault sort reverse appendleft".split(
    " ",
  ),
);

/** Collects what the statements of a block bind, without entering functions and classes. */
export function collectBindings(
  body: readonly SyntaxNode[],
  judge: (condition: SyntaxNode) => Condition,
): Block {
  const bindings = new Map<string, Binding[]>();
  const stars: string[] = [];
  const changed = new Set<string>();

  const bind = (name: string, node: SyntaxNode, source: BindingSource, reach: Reach): void => {
    const found = bindings.get(name);
    const binding: Binding = { name, at: node.endIndex, source, reach };
    if (found) found.push(binding);
    else bindings.set(name, [binding]);
  };
  const opaque = (target: SyntaxNode | null, reason: string, reach: Reach): void => {
    if (target)
      for (const name of targetNames(target)) bind(name, target, { kind: "opaque", reason }, reach);
  };

  const assign = (node: SyntaxNode, reach: Reach): void => {
    const targets = [];
    let value: SyntaxNode | null = node;
    while (value?.type === "assignment") {
      targets.push({
        target: value.childForFieldName("left"),
        annotation: value.childForFieldName("type"),
      });
      value = value.childForFieldName("right");
    }
    for (const { target, annotation } of targets) {
      if (!target) continue;
      if (target.type === "subscript" || target.type === "attribute") {
        const root = rootName(target);
        if (root) changed.add(root);
      }
      if (!value) continue;
      for (const [name, path] of unpacked(target, [])) {
        bind(name, node, { kind: "assignment", value, path, annotation }, reach);
      }
    }
  };

  const importNames = (node: SyntaxNode, reach: Reach): void => {
    const from = node.childForFieldName("module_name");
    const module =
      node.type === "future_import_statement"
        ? "__future__"
        : (from?.text.replace(/\s/g, "") ?? null);
    if (module !== null && node.children.some((child) => child.type === "wildcard_import"))
      stars.push(module);
    for (const item of node.childrenForFieldName("name")) {
      const alias = item.childForFieldName("alias")?.text;
      const name = (
        item.type === "aliased_import" ? item.childForFieldName("name")! : item
      ).text.replace(/\s/g, "");
      if (module !== null)
        bind(alias ?? name, node, { kind: "import", module, attribute: name }, reach);
      else if (alias !== undefined)
        bind(alias, node, { kind: "import", module: name, attribute: null }, reach);
      else
        bind(
          name.split(".")[0]!,
          node,
          { kind: "import", module: name.split(".")[0]!, attribute: null },
          reach,
        );
    }
  };

  const visit = (statements: readonly SyntaxNode[], reach: Reach): void => {
    for (const statement of statements) visitStatement(statement, reach);
  };
  const visitBlock = (node: SyntaxNode | null | undefined, reach: Reach): void => {
    if (node) visit(node.children, reach);
  };

  const visitIf = (node: SyntaxNode, reach: Reach): void => {
    let rest = reach;
    const arm = (condition: SyntaxNode | null, body: SyntaxNode | null): boolean => {
      const known = condition ? judge(condition) : true;
      if (known === false) return false;
      if (known === "type-checking") visitBlock(body, "type-checking");
      else visitBlock(body, known === true ? rest : weaker(rest, "perhaps"));
      if (known === "unknown") rest = weaker(rest, "perhaps");
      return known === true;
    };
    if (arm(node.childForFieldName("condition"), node.childForFieldName("consequence"))) return;
    for (const clause of node.childrenForFieldName("alternative")) {
      if (clause.type === "elif_clause") {
        if (arm(clause.childForFieldName("condition"), clause.childForFieldName("consequence")))
          return;
      } else visitBlock(clause.childForFieldName("body"), rest);
    }
  };

  const visitStatement = (node: SyntaxNode, reach: Reach): void => {
    switch (node.type) {
      case "import_statement":
      case "import_from_statement":
      case "future_import_statement":
        return importNames(node, reach);
      case "class_definition":
      case "function_definition":
        return define(node, node, [], reach);
      case "decorated_definition": {
        const definition = node.childForFieldName("definition");
        const decorators = node.children.filter((child) => child.type === "decorator");
        if (definition) define(definition, node, decorators, reach);
        return;
      }
      case "type_alias_statement": {
        const left = node.childForFieldName("left");
        const name = left && firstIdentifier(left);
        if (name) bind(name, node, { kind: "type-alias", node }, reach);
        return;
      }
      case "expression_statement":
        for (const child of node.children) visitExpression(child, reach);
        return;
      case "if_statement":
        return visitIf(node, reach);
      case "try_statement":
        for (const child of node.children) {
          if (child.type === "block") visit(child.children, reach);
          else if (child.type === "except_clause" || child.type === "except_group_clause") {
            for (const part of child.children) {
              if (part.type === "block") visit(part.children, weaker(reach, "fallback"));
              else if (part.type === "as_pattern")
                opaque(part.childForFieldName("alias"), "an exception", reach);
            }
          } else if (child.isNamed)
            visitBlock(
              child.children.find((part) => part.type === "block"),
              reach,
            );
        }
        return;
      case "for_statement":
        opaque(node.childForFieldName("left"), "a loop variable", reach);
        visitBlock(node.childForFieldName("body"), weaker(reach, "perhaps"));
        visitBlock(node.childForFieldName("alternative")?.childForFieldName("body"), reach);
        return;
      case "while_statement":
        visitBlock(node.childForFieldName("body"), weaker(reach, "perhaps"));
        visitBlock(node.childForFieldName("alternative")?.childForFieldName("body"), reach);
        return;
      case "with_statement":
        for (const item of node.children.find((child) => child.type === "with_clause")?.children ??
          []) {
          opaque(
            item.childForFieldName("value")?.childForFieldName("alias") ?? null,
            "a context manager's value",
            reach,
          );
        }
        visitBlock(node.childForFieldName("body"), reach);
        return;
      case "match_statement":
        for (const clause of node.childForFieldName("body")?.children ?? []) {
          visitBlock(clause.childForFieldName("consequence"), weaker(reach, "perhaps"));
        }
        return;
      case "delete_statement":
        opaque(node, "deleted", reach);
        return;
    }
  };

  const visitExpression = (node: SyntaxNode, reach: Reach): void => {
    if (node.type === "assignment") return assign(node, reach);
    if (node.type === "augmented_assignment") {
      const target = node.childForFieldName("left");
      const value = node.childForFieldName("right");
      const operator = node.childForFieldName("operator")?.text.slice(0, -1) ?? "";
      if (target?.type === "identifier" && value) {
        bind(target.text, node, { kind: "augmented", operator, value }, reach);
      } else if (target) {
        const root = rootName(target);
        if (root) changed.add(root);
      }
      return;
    }
    const callee = node.type === "call" ? node.childForFieldName("function") : null;
    if (
      callee?.type === "attribute" &&
      CHANGING_METHODS.has(callee.childForFieldName("attribute")?.text ?? "")
    ) {
      const root = rootName(callee);
      if (root) changed.add(root);
    }
  };

  const define = (
    node: SyntaxNode,
    whole: SyntaxNode,
    decorators: readonly SyntaxNode[],
    reach: Reach,
  ): void => {
    const name = node.childForFieldName("name")?.text;
    const kind = node.type === "class_definition" ? "class" : "function";
    if (name !== undefined) bind(name, whole, { kind, node, decorators }, reach);
  };

  visit(body, "always");
  return { bindings, stars, changed };
}

function weaker(outer: Reach, inner: "perhaps" | "fallback"): Reach {
  return outer === "always" || outer === "perhaps" ? inner : outer;
}

/** The names that a target binds, with where in the value that each is found. */
export function* unpacked(
  target: SyntaxNode,
  path: readonly Step[],
): Generator<[string, readonly Step[]]> {
  if (target.type === "identifier") {
    yield [target.text, path];
  } else if (
    /^(pattern_list|tuple_pattern|list_pattern|expression_list|tuple|list|parenthesized_expression)$/.test(
      target.type,
    )
  ) {
    const items = target.namedChildren.filter((child) => child.type !== "comment");
    if (target.type === "parenthesized_expression") yield* unpacked(items[0]!, path);
    else {
      const star = items.findIndex(({ type }) => type === "list_splat_pattern");
      for (const [i, item] of items.entries()) {
        const after = items.length - 1 - i;
        if (i === star) yield* unpacked(item, [...path, { before: i, after }]);
        else yield* unpacked(item, [...path, star >= 0 && i > star ? -1 - after : i]);
      }
    }
  } else if (target.type === "list_splat_pattern") {
    const name = target.namedChildren[0]?.text;
    if (name !== undefined) yield [name, path];
  }
}

function targetNames(target: SyntaxNode): string[] {
  return [
    ...unpacked(
      target.type === "as_pattern_target" || target.type === "delete_statement"
        ? (target.namedChildren[0] ?? target)
        : target,
      [],
    ),
  ].map(([name]) => name);
}

function firstIdentifier(node: SyntaxNode): string | null {
  let inner: SyntaxNode | undefined = node;
  while (inner && inner.type !== "identifier") inner = inner.namedChildren[0];
  return inner?.text ?? null;
}

function rootName(node: SyntaxNode): string | null {
  let inner: SyntaxNode | null = node;
  while (inner?.type === "subscript" || inner?.type === "attribute") {
    inner = inner.childForFieldName(inner.type === "subscript" ? "value" : "object");
  }
  return inner?.type === "identifier" ? inner.text : null;
}

/** The strings that a module's `__all__` is given for certain, for where the whole of it is not constant; `null` without one. */
export function certainExports(block: Block): readonly string[] | null {
  const found = block.bindings.get("__all__");
  if (!found) return null;
  const names: string[] = [];
  for (const { source } of found) {
    if (source.kind !== "assignment" && source.kind !== "augmented") continue;
    for (const item of source.value.namedChildren) {
      const name = stringValue(item);
      if (name !== null) names.push(name);
    }
  }
  return names;
}

/** Statements are bound where they end, and evaluated with what was bound before they began. */
export function startOf(binding: Binding): number {
  const { source } = binding;
  if (source.kind === "class" || source.kind === "function") return source.node.startIndex;
  return source.kind === "assignment" || source.kind === "augmented"
    ? source.value.startIndex
    : binding.at;
}
