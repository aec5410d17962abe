import { dottedName, identifier, isTrivia } from "../structure/statements.js";
import type { SyntaxNode } from "../structure/types.js";
import type { Program } from "./program.js";
import {
  operands,
  type Binding,
  type Names,
  type Origin,
  type Parameters,
  type Reference,
  type Variable,
} from "./names.js";
import {
  lookUp,
  newScope,
  newVariable,
  noteBound,
  parametersOf,
  type Scope,
  variableIn,
} from "./scope.js";
import {
  capturesOf,
  expressionOrigin,
  isPattern,
  type Subject,
  targetsOf,
  UNKNOWN,
} from "./targets.js";
import { DEEPEST_PATH } from "./values.js";

interface PendingBinding {
  readonly name: string;
  readonly scope: Scope;
  readonly origin: Origin;
  readonly place: SyntaxNode;
}

/** The subjects of a `match` that has more are followed as one. */
const MOST_SUBJECTS = 8;
const INITIALISERS = new Set(["__init__", "__new__", "__call__"]);
const COMPREHENSIONS = new Set([
  "list_comprehension",
  "set_comprehension",
  "dictionary_comprehension",
  "generator_expression",
]);

/**
 * Finds out what every name in a module is bound to and where it is read, by Python's rules of scope: class bodies are not seen
 * from the functions in them, comprehensions have a scope of their own, `global` and `nonlocal` reach outwards, `:=` binds
 * outside of comprehensions, and a name that is bound in a function is local to all of it.
 */
export function resolveNames(program: Program): Names {
  return new Collector(program).collect();
}

class Collector {
  readonly #module: Scope;
  readonly #work: { node: SyntaxNode; scope: Scope }[] = [];
  readonly #pending: PendingBinding[] = [];
  readonly #deleted: { name: string; scope: Scope }[] = [];
  readonly #loads: { node: SyntaxNode; scope: Scope }[] = [];
  readonly #bindings: Binding[] = [];
  readonly #functionScopes: { node: SyntaxNode; scope: Scope }[] = [];
  readonly #returns = new Map<SyntaxNode, Variable>();
  readonly #attributes = new Map<string, Variable>();
  readonly #functionsByName = new Map<string, SyntaxNode[]>();
  readonly #initialisers = new Map<SyntaxNode, SyntaxNode[]>();
  readonly #stores = new Set<SyntaxNode>();
  readonly #stars = new Set<string>();
  readonly #modules = new Set<string>();
  readonly #unread: SyntaxNode[] = [];
  readonly #subjects = new Map<SyntaxNode, readonly Subject[]>();

  readonly #program: Program;

  /** Code in strings is read where it is run, with the names that are seen from there. */
  constructor(program: Program) {
    this.#program = program;
    this.#module = newScope("module", program.root, null);
  }

  collect(): Names {
    this.#push(operands(this.#module.node), this.#module);
    for (let next = this.#work.pop(); next; next = this.#work.pop())
      this.#visit(next.node, next.scope);
    for (const pending of this.#pending) this.#settle(pending);
    for (const { name, scope } of this.#deleted) {
      const variable = this.#owner(name, scope).variables.get(name);
      if (variable) variable.deleted = true;
    }
    const references = new Map<SyntaxNode, Reference>();
    for (const { node, scope } of this.#loads)
      references.set(node, lookUp(identifier(node), this.#program.shownAt(node).startIndex, scope));
    const parameters = new Map<SyntaxNode, Parameters>();
    for (const { node, scope } of this.#functionScopes)
      parameters.set(node, parametersOf(node, scope));
    return {
      references,
      bindings: this.#bindings,
      parameters,
      returns: this.#returns,
      attributes: this.#attributes,
      functionsByName: this.#functionsByName,
      initialisers: this.#initialisers,
      stores: this.#stores,
      stars: this.#stars,
      modules: this.#modules,
      moduleNames: this.#module.variables,
      unread: this.#unread,
    };
  }

  #push(nodes: readonly SyntaxNode[], scope: Scope): void {
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i]!;
      if (node.isNamed && !isTrivia(node)) this.#work.push({ node, scope });
    }
  }

  #bind(name: string, scope: Scope, origin: Origin, place: SyntaxNode): void {
    this.#pending.push({ name, scope, origin, place });
  }

  /** The scope whose variable `name` is, when `scope` binds it. */
  #owner(name: string, scope: Scope): Scope {
    if (scope.globals.has(name)) return this.#module;
    if (!scope.nonlocals.has(name)) return scope;
    for (let outer = scope.parent; outer; outer = outer.parent) {
      if (outer.kind === "function" && outer.variables.has(name)) return outer;
    }
    return scope;
  }

  #settle({ name, scope, origin, place }: PendingBinding): void {
    const owner = this.#owner(name, scope);
    const variable = variableIn(owner.variables, name);
    this.#add(variable, origin, place);
    // Code in a string may be run at another time than it seems.
    if (!this.#program.hostOf(place)) noteBound(variable, place, owner);
    if (owner.kind === "class" && origin.kind !== "definition")
      this.#add(variableIn(this.#attributes, name), origin, place);
  }

  #add(variable: Variable, origin: Origin, place: SyntaxNode): void {
    const binding = { variable, origin, place };
    variable.bindings.push(binding);
    this.#bindings.push(binding);
  }

  #visit(node: SyntaxNode, scope: Scope): void {
    switch (node.type) {
      case "identifier":
        this.#loads.push({ node, scope });
        return;
      case "attribute":
        this.#push([node.children[0]!], scope);
        return;
      case "keyword_argument":
        this.#push(node.childrenForFieldName("value"), scope);
        return;
      case "import_statement":
        return this.#visitImport(node, scope);
      case "import_from_statement":
        return this.#visitFromImport(node, scope);
      case "future_import_statement":
        return;
      case "function_definition":
      case "lambda":
        return this.#visitFunction(node, scope);
      case "class_definition":
        return this.#visitClass(node, scope);
      case "assignment":
      case "augmented_assignment":
        return this.#visitAssignment(node, scope);
      case "named_expression":
        return this.#visitWalrus(node, scope);
      case "for_statement":
        this.#bindTarget(
          node.childForFieldName("left"),
          node.childForFieldName("right"),
          1,
          node,
          scope,
        );
        this.#push(
          operands(node).filter((child) => child.field !== "left"),
          scope,
        );
        return;
      case "as_pattern":
        return this.#visitAs(node, scope);
      case "case_clause":
        return this.#visitCase(node, scope);
      case "global_statement":
        for (const name of operands(node)) scope.globals.add(identifier(name));
        return;
      case "nonlocal_statement":
        for (const name of operands(node)) scope.nonlocals.add(identifier(name));
        return;
      case "delete_statement":
        return this.#visitDelete(node, scope);
      case "return_statement":
      case "yield":
        return this.#visitReturn(node, scope);
      case "type_alias_statement":
        return this.#visitTypeAlias(node, scope);
      case "call":
        for (const { root } of this.#program.codeRunBy(node)) this.#push(operands(root), scope);
        break;
      case "ERROR":
        if (!this.#program.hostOf(node)) this.#unread.push(node);
        break;
    }
    if (COMPREHENSIONS.has(node.type)) this.#visitComprehension(node, scope);
    else this.#push(node.children, scope);
  }

  #visitImport(node: SyntaxNode, scope: Scope): void {
    for (const item of node.childrenForFieldName("name")) {
      const alias = item.childForFieldName("alias");
      const module = dottedName(alias ? item.childForFieldName("name")! : item);
      this.#sawModule(module);
      const top = module.split(".", 1)[0]!;
      this.#bind(
        alias ? identifier(alias) : top,
        scope,
        { kind: "import", module: alias ? module : top, member: null },
        node,
      );
    }
  }

  #visitFromImport(node: SyntaxNode, scope: Scope): void {
    const from = node.childForFieldName("module_name");
    const module = from?.type === "dotted_name" ? dottedName(from) : null;
    if (module !== null) this.#sawModule(module);
    if (module !== null && node.children.some((child) => child.type === "wildcard_import")) {
      this.#stars.add(module);
    }
    for (const item of node.childrenForFieldName("name")) {
      const alias = item.childForFieldName("alias");
      const member = dottedName(alias ? item.childForFieldName("name")! : item);
      const origin: Origin = module === null ? UNKNOWN : { kind: "import", module, member };
      this.#bind(alias ? identifier(alias) : member, scope, origin, node);
    }
  }

  #sawModule(module: string): void {
    let end = module.indexOf(".");
    for (let depth = 1; end >= 0 && depth <= DEEPEST_PATH; depth++) {
      this.#modules.add(module.slice(0, end));
      end = module.indexOf(".", end + 1);
    }
    if (end < 0) this.#modules.add(module);
  }

  #visitFunction(node: SyntaxNode, scope: Scope): void {
    const inner = newScope("function", node, scope);
    const returned = newVariable("return");
    this.#returns.set(node, returned);
    this.#functionScopes.push({ node, scope: inner });
    for (const child of operands(node)) {
      if (child.field === "name") {
        const name = identifier(child);
        this.#bind(name, scope, { kind: "definition", node }, node);
        const alike = this.#functionsByName.get(name);
        if (alike) alike.push(node);
        else this.#functionsByName.set(name, [node]);
        if (scope.kind === "class" && INITIALISERS.has(name)) {
          const before = this.#initialisers.get(scope.node);
          if (before) before.push(node);
          else this.#initialisers.set(scope.node, [node]);
        }
      } else if (child.field === "parameters") {
        for (const parameter of operands(child)) this.#visitParameter(parameter, inner, scope);
      } else if (child.field === "body") {
        if (node.type === "lambda") this.#add(returned, expressionOrigin(child), node);
        this.#push([child], inner);
      } else if (child.field === "type_parameters") {
        this.#push([child], inner);
      } else {
        this.#push([child], scope);
      }
    }
  }

  #visitParameter(parameter: SyntaxNode, inner: Scope, outer: Scope): void {
    const name =
      parameter.childForFieldName("name") ??
      (parameter.type === "identifier" ? parameter : operands(parameter)[0]);
    const plain = name?.type.endsWith("splat_pattern") ? operands(name)[0] : name;
    if (plain?.type !== "identifier") return;
    const bound = identifier(plain);
    this.#bind(bound, inner, UNKNOWN, parameter);
    const value = parameter.childForFieldName("value");
    if (value) this.#bind(bound, inner, expressionOrigin(value), parameter);
    const type = parameter.childForFieldName("type");
    if (type) this.#bind(bound, inner, { kind: "annotation", node: type }, parameter);
    this.#push(
      [value, type].filter((node) => node !== null),
      outer,
    );
  }

  #visitClass(node: SyntaxNode, scope: Scope): void {
    const inner = newScope("class", node, scope);
    for (const child of operands(node)) {
      if (child.field === "name")
        this.#bind(identifier(child), scope, { kind: "definition", node }, node);
      else this.#push([child], child.field === "body" ? inner : scope);
    }
  }

  #visitAssignment(node: SyntaxNode, scope: Scope): void {
    const left = node.childForFieldName("left");
    const right = node.childForFieldName("right");
    const type = node.childForFieldName("type");
    this.#bindTarget(left, right, 0, node, scope);
    if (left?.type === "identifier") {
      if (type) this.#bind(identifier(left), scope, { kind: "annotation", node: type }, node);
      if (node.type === "augmented_assignment") {
        this.#bind(identifier(left), scope, UNKNOWN, node);
        this.#loads.push({ node: left, scope });
      }
    }
    this.#push(
      [type, right].filter((child) => child !== null),
      scope,
    );
  }

  #visitWalrus(node: SyntaxNode, scope: Scope): void {
    const name = node.childForFieldName("name");
    const value = node.childForFieldName("value");
    if (!name || !value) return;
    let target = scope;
    while (target.kind === "comprehension" && target.parent) target = target.parent;
    this.#bind(identifier(name), target, expressionOrigin(value), node);
    this.#push([value], scope);
  }

  #visitAs(node: SyntaxNode, scope: Scope): void {
    const [value] = operands(node);
    const alias = node.childForFieldName("alias");
    const target = alias && operands(alias)[0];
    const caught = node.parent?.type === "except_clause";
    if (target) this.#bindTarget(target, caught ? null : value!, 0, node, scope);
    this.#push(value ? [value] : [], scope);
  }

  #visitCase(node: SyntaxNode, scope: Scope): void {
    let statement: SyntaxNode | null = node;
    while (statement && statement.type !== "match_statement") statement = statement.parent;
    const subjects = statement ? this.#subjectsOf(statement) : [];
    for (const child of operands(node)) {
      if (child.type === "case_pattern") this.#bindCaptures(child, subjects, scope);
      else this.#push([child], scope);
    }
  }

  #subjectsOf(statement: SyntaxNode): readonly Subject[] {
    let subjects = this.#subjects.get(statement);
    if (subjects) return subjects;
    const written = statement.childrenForFieldName("subject");
    if (written.length <= MOST_SUBJECTS) {
      subjects = written;
    } else {
      const all = newVariable("subject");
      for (const subject of written) this.#add(all, expressionOrigin(subject), statement);
      subjects = [all];
    }
    this.#subjects.set(statement, subjects);
    return subjects;
  }

  #bindCaptures(pattern: SyntaxNode, subjects: readonly Subject[], scope: Scope): void {
    for (const { node, origin } of capturesOf(pattern, subjects)) {
      this.#bind(identifier(node), scope, origin, pattern);
    }
  }

  #visitDelete(node: SyntaxNode, scope: Scope): void {
    const pending = operands(node);
    for (let target = pending.pop(); target; target = pending.pop()) {
      if (isPattern(target)) pending.push(...operands(target));
      else if (target.type === "identifier")
        this.#deleted.push({ name: identifier(target), scope });
      else {
        this.#stores.add(target);
        this.#visit(target, scope);
      }
    }
  }

  #visitReturn(node: SyntaxNode, scope: Scope): void {
    const values = operands(node);
    let owner: Scope | null = scope;
    while (owner && owner.kind !== "function") owner = owner.parent;
    const returned = owner && this.#returns.get(owner.node);
    if (returned) for (const value of values) this.#add(returned, expressionOrigin(value), node);
    this.#push(values, scope);
  }

  #visitTypeAlias(node: SyntaxNode, scope: Scope): void {
    const right = node.childForFieldName("right");
    let name = node.childForFieldName("left");
    while (name && name.type !== "identifier") name = operands(name)[0] ?? null;
    if (name) this.#bind(identifier(name), scope, UNKNOWN, node);
    this.#push(right ? [right] : [], scope);
  }

  #visitComprehension(node: SyntaxNode, scope: Scope): void {
    const inner = newScope("comprehension", node, scope);
    let first = true;
    for (const child of operands(node)) {
      if (child.type !== "for_in_clause") {
        this.#push([child], inner);
        continue;
      }
      const right = child.childForFieldName("right");
      this.#bindTarget(child.childForFieldName("left"), right, 1, child, inner);
      this.#push(child.childrenForFieldName("right"), first ? scope : inner);
      first = false;
    }
  }

  /** Binds all names of an assignment's target. */
  #bindTarget(
    target: SyntaxNode | null,
    source: SyntaxNode | null,
    depth: number,
    place: SyntaxNode,
    scope: Scope,
  ): void {
    if (!target) return;
    for (const { node, origin } of targetsOf(target, source, depth)) {
      if (node.type === "identifier") {
        this.#bind(identifier(node), scope, origin, place);
      } else if (node.type === "attribute") {
        this.#stores.add(node);
        const name = node.childForFieldName("attribute");
        if (name) this.#add(variableIn(this.#attributes, identifier(name)), origin, place);
        this.#push([node.children[0]!], scope);
      } else {
        if (node.type === "subscript") this.#stores.add(node);
        this.#push(node.type === "subscript" ? operands(node) : [node], scope);
      }
    }
  }
}
