import { identifier } from "../structure/statements.js";
import type { ParsedModule, SyntaxNode } from "../structure/types.js";
import { Aliases, callOf, isCallee } from "./aliases.js";
import { argumentOf } from "./arguments.js";
import { Candidates } from "./candidates.js";
import { chainOf, excerpt } from "./chain.js";
import { type CallSite, Conditions } from "./conditions.js";
import { evaluate, type Evaluation } from "./evaluate.js";
import { Escapes } from "./escapes.js";
import { readCode } from "./code.js";
import { fold } from "./folding/fold.js";
import { findHidden, type Hidden } from "./hidden.js";
import { type CapabilityMap, capabilityMap, type Grants } from "./map.js";
import { resolveNames } from "./collect.js";
import { Looks } from "./looks.js";
import { firstOperand, type Names } from "./names.js";
import { Program } from "./program.js";
import { ANYTHING, isMapping, moduleOf, type Value } from "./values.js";
import { isEveryday } from "./wild.js";

/** One place where a script reaches something that can act on the world. */
export interface Use {
  readonly capability: string;
  /** Resolved, such as `os.system`; a builtin by its plain name. */
  readonly reference: string;
  /** Where it is shown: of code in a string, at the call that runs it. */
  readonly node: SyntaxNode;
  /** Where it is. */
  readonly origin: SyntaxNode;
}

/** What a module's references resolve to. */
export interface Resolution {
  readonly names: Names;
  readonly evaluation: Evaluation;
  /** In order of place. */
  readonly uses: readonly Use[];
  /** Every call whose callee has a resolved path, in order of place; one entry for each path it may have. */
  readonly calls: readonly CallSite[];
  readonly chain: (node: SyntaxNode) => string[];
  /** Where something is shown: of code in a string, at the call that runs it. */
  readonly shownAt: (node: SyntaxNode) => SyntaxNode;
  /** What takes effect without being seen by readers. */
  readonly hidden: readonly Hidden[];
}

/** How often code in strings is looked for that code in strings runs. */
const MOST_ROUNDS = 6;
const TAKES_MEMBERS = /^builtins\.getattr$|\.__getattribute__$|^pkgutil\.resolve_name$/;
/** Kinds of values whose attributes are members that may do something. */
const OWNERS: ReadonlySet<Value["kind"]> = new Set([
  "path",
  "instance",
  "namespace",
  "wild",
] as const);
const PRODUCERS = new Set(["call", "subscript"]);

/** Finds what a module can do to the world, by what its references resolve to. */
export function resolveUses(
  parsed: ParsedModule,
  map: CapabilityMap = capabilityMap(),
): Resolution {
  const program = new Program(parsed);
  const unread = new Set<SyntaxNode>();
  for (let round = 0; ; round++) {
    const names = resolveNames(program);
    const folding = fold(program, (name) => map.isBuiltin(name));
    const evaluation = evaluate(program, names, map, folding);
    // What code in strings binds may tell of more such code.
    if (round < MOST_ROUNDS && readCode(program, evaluation, folding, unread)) continue;
    const hidden = findHidden(program.nodes, evaluation, folding);
    return new Finder(program, names, evaluation, map).find(unread, hidden);
  }
}

class Finder {
  readonly #program: Program;
  readonly #names: Names;
  readonly #evaluation: Evaluation;
  readonly #map: CapabilityMap;
  readonly #conditions: Conditions;
  readonly #escapes: Escapes;
  readonly #candidates: Candidates;
  readonly #aliases: Aliases;
  readonly #looks: Looks;
  readonly #uses: Use[] = [];
  readonly #calls: CallSite[] = [];

  constructor(program: Program, names: Names, evaluation: Evaluation, map: CapabilityMap) {
    this.#program = program;
    this.#names = names;
    this.#evaluation = evaluation;
    this.#map = map;
    this.#conditions = new Conditions(evaluation, map);
    this.#escapes = new Escapes(program.nodes, names, evaluation, map);
    this.#candidates = new Candidates(program.nodes, evaluation, map);
    this.#aliases = new Aliases(names, evaluation);
    this.#looks = new Looks(evaluation);
  }

  /** @param unread - calls of which not all code was read */
  find(unread: ReadonlySet<SyntaxNode>, hidden: readonly Hidden[]): Resolution {
    for (const node of this.#program.nodes) this.#look(node);
    for (const { node, what } of hidden) this.#add("obfuscation", what, node);
    for (const call of unread) this.#add("unresolved", excerpt(call, 40), call);
    if (this.#evaluation.incomplete)
      this.#add("unresolved", "the whole script", this.#program.root);
    const names = this.#names;
    const evaluation = this.#evaluation;
    return {
      names,
      evaluation,
      uses: this.#uses,
      calls: this.#calls,
      chain: (node) => [...chainOf(node, names, evaluation), ...this.#through(node)],
      shownAt: (node) => this.#program.shownAt(node),
      hidden,
    };
  }

  /** By which calls code in strings comes to be run. */
  #through(node: SyntaxNode): string[] {
    const steps: string[] = [];
    let inner = node;
    for (let host = this.#program.hostOf(inner); host; host = this.#program.hostOf(inner)) {
      const callee = excerpt(host.childForFieldName("function") ?? host, 40);
      steps.push(`line ${this.#program.lineOf(inner)} of code run by ${callee}`);
      inner = host;
    }
    return steps;
  }

  #add(capability: string, reference: string, node: SyntaxNode): void {
    const shown = this.#program.shownAt(node);
    this.#uses.push({ capability, reference, node: shown, origin: node });
  }

  /** What cannot be told, and what the names in the script make likely. */
  #addUnresolved(what: string, node: SyntaxNode, modules: readonly (string | null)[]): void {
    this.#add("unresolved", what, node);
    for (const module of modules) {
      const grants = module?.includes(".") ? this.#map.member(module) : undefined;
      if (grants) this.#grant(grants, module!, node, null);
      for (const { path, grants, node: named } of this.#candidates.of(module))
        this.#grant(grants, path, named ?? node, null);
    }
  }

  #grant(grants: Grants, path: string, node: SyntaxNode, site: CallSite | null): void {
    const reference = path.startsWith("builtins.") ? path.slice("builtins.".length) : path;
    for (const capability of this.#conditions.used(grants, site))
      this.#add(capability, reference, node);
  }

  #look(node: SyntaxNode): void {
    if (!node.isNamed) return;
    for (const { node: escaping, what, modules } of this.#escapes.at(node)) {
      this.#addUnresolved(what, escaping, modules);
    }
    switch (node.type) {
      case "identifier":
        if (this.#names.references.has(node)) this.#lookAtReference(node);
        return;
      case "attribute":
        this.#lookAtReference(node);
        return this.#lookAtAttribute(node);
      case "subscript":
        this.#lookAtSubscript(node);
        return this.#lookAtReference(node);
      case "call":
        this.#lookAtCall(node);
        return this.#lookAtReference(node);
      case "import_statement":
      case "import_from_statement":
        return this.#lookAtImport(node);
      case "exec_statement":
        return this.#add("code.execute", "exec", node);
      case "ERROR":
        // In a string it is no Python most often, which raises when it is run.
        if (this.#program.hostOf(node)) return;
        return this.#add("unresolved", excerpt(node, 40), node);
    }
    if (node.type !== "parenthesized_expression" && isCallee(node)) this.#lookAtReference(node);
  }

  #lookAtReference(node: SyntaxNode): void {
    const parent = node.parent;
    const values = this.#evaluation.values(node);
    if (values === ANYTHING && !isCallee(node)) return;
    const wild = isCallee(node) ? this.#wildIn(node, values) : [];
    if (wild.length > 0) this.#addUnresolved(excerpt(node, 40), node, this.#ownersOf(wild));
    const paths = values.flatMap((value) => (value.kind === "path" ? [value.path] : []));
    if (paths.length === 0 || !parent) return;
    // What is reached by the longest chain of attributes counts, not each step of it.
    if (isObject(node) && this.#evaluation.values(parent).some(({ kind }) => kind === "path"))
      return;
    const isItem = parent.type === "subscript" && this.#names.stores.has(parent) && isObject(node);
    // What only passes through here was counted where it arose, unless it is called or changed here.
    if (!isCallee(node) && !isItem && !this.#arises(node)) return;
    if (this.#looks.isTypeOnly(node)) return;
    if (this.#names.stores.has(node)) return;
    for (const path of paths) {
      if (!this.#adds(node, path) || this.#looks.isOnlyLookedAt(node, path)) continue;
      const changed = isItem ? this.#map.lookup(`${path}.__setitem__`) : undefined;
      const grants = changed ?? this.#map.lookup(path);
      if (!grants || grants.length === 0) continue;
      const told = this.#aliases.isOnlyCalled(node, path)
        ? grants.filter(({ condition }) => condition === null)
        : grants;
      this.#grant(told, path, node, this.#siteOf(node, path));
    }
  }

  /** What a callee is, or is an attribute of, that reflection gave. */
  #wildIn(callee: SyntaxNode, values: readonly Value[]): readonly Value[] {
    const isWild = ({ kind }: Value) => kind === "wild";
    const wild = values.filter(isWild);
    if (wild.length > 0 || callee.type !== "attribute" || isEveryday(callee.children.at(-1)!.text))
      return wild;
    return this.#evaluation.values(callee.children[0]!).filter(isWild);
  }

  /** The modules that some members are of. */
  #ownersOf(members: readonly Value[]): string[] {
    return members.flatMap((value) => moduleOf(value) ?? []);
  }

  /** Whether a reference reaches something, rather than handing on what was reached where a name or an attribute got it. */
  #arises(node: SyntaxNode): boolean {
    if (node.type === "identifier") {
      const reference = this.#names.references.get(node);
      return (
        reference !== undefined &&
        (reference.maybeBuiltin ||
          reference.variables.some(({ bindings }) =>
            bindings.some(({ origin }) => origin.kind === "import"),
          ))
      );
    }
    if (node.type === "attribute")
      return this.#evaluation.values(node.children[0]!).some(({ kind }) => OWNERS.has(kind));
    return PRODUCERS.has(node.type) && this.#produces(node);
  }

  /** Whether an attribute of something that only passes through here is more than that: `data.strip` of what `sys.stdin` gave is not. */
  #adds(node: SyntaxNode, path: string): boolean {
    const object = node.type === "attribute" ? node.children[0]! : null;
    if (!object || this.#arises(object)) return true;
    const grants = this.#map.lookup(path);
    return !this.#evaluation
      .values(object)
      .some(
        (value) =>
          value.kind === "path" &&
          path.startsWith(`${value.path}.`) &&
          this.#map.lookup(value.path) === grants,
      );
  }

  /** Whether a call or subscript takes a member out of a module by a name, rather than handing on what something else gave. */
  #produces(node: SyntaxNode): boolean {
    if (node.type === "subscript")
      return this.#evaluation.values(node.children[0]!).some(({ kind }) => kind !== "container");
    const callee = node.childForFieldName("function");
    if (!callee) return false;
    if (
      this.#evaluation
        .values(callee)
        .some((value) => value.kind === "path" && TAKES_MEMBERS.test(value.path))
    )
      return true;
    return (
      callee.type === "attribute" &&
      this.#evaluation
        .values(callee.children[0]!)
        .some(({ kind }) => kind === "namespace" || kind === "wild")
    );
  }

  #siteOf(node: SyntaxNode, path: string): CallSite | null {
    const call = callOf(node);
    if (!call) return null;
    const object = node.type === "attribute" ? this.#evaluation.values(node.children[0]!) : [];
    const isBound = object.some((value) => value.kind === "instance");
    return { call, path, isBound };
  }

  /** `sys.stdout = …` changes the interpreter, as does every assignment to a member of a known module. */
  #lookAtStore(node: SyntaxNode, name: string): void {
    for (const value of this.#evaluation.values(node.children[0]!)) {
      if (value.kind !== "path" || !this.#map.isModule(value.path) || name === "__doc__") continue;
      const path = `${value.path}.${name}`;
      const grants = this.#map.lookup(path);
      if (grants && grants.length > 0) this.#grant(grants, path, node, null);
      else this.#add("system.modify", path, node);
    }
  }

  #lookAtAttribute(node: SyntaxNode): void {
    const last = node.children.at(-1);
    if (last?.type !== "identifier") return;
    const name = identifier(last);
    if (this.#names.stores.has(node)) this.#lookAtStore(node, name);
    const object = this.#evaluation.values(node.children[0]!);
    const special = this.#map.anyAttribute(name);
    if (special) {
      const applies =
        special.when === null ||
        (special.when === "write"
          ? this.#names.stores.has(node)
          : object.some((value) => this.#isModule(value)));
      if (applies) this.#grant(special.grants, name, node, null);
      return;
    }
    const method = this.#map.method(name, this.#names.modules);
    const isKnown = this.#evaluation.values(node).some(({ kind }) => kind === "path");
    if (!method || !isCallee(node) || isKnown || this.#isOwnMethod(node, name)) return;
    if (object.some(isUnknown)) {
      this.#grant(method.grants, method.path, node, null);
    }
  }

  /** `self.name` in a script that defines `name`. */
  #isOwnMethod(node: SyntaxNode, name: string): boolean {
    return /^(?:self|cls)$/.test(node.children[0]!.text) && this.#names.functionsByName.has(name);
  }

  #lookAtSubscript(node: SyntaxNode): void {
    const keys = node.childrenForFieldName("subscript");
    const base = this.#evaluation.values(node.children[0]!);
    const isNamespace = base.some((value) => value.kind !== "wild" && isMapping(value));
    if (
      isNamespace &&
      !this.#names.stores.has(node) &&
      !keys.every((key) => this.#isConstant(key))
    ) {
      this.#addUnresolved(
        excerpt(node, 40),
        node,
        base.flatMap((value) => moduleOf(value) ?? []),
      );
    }
  }

  #isConstant(node: SyntaxNode | undefined): boolean {
    const values = node ? this.#evaluation.values(node) : [];
    return values.length > 0 && values.every(({ kind }) => kind === "string");
  }

  #lookAtCall(node: SyntaxNode): void {
    const callee = node.childForFieldName("function");
    if (!callee) return;
    const targets = this.#evaluation.values(callee);
    for (const value of targets) {
      if (value.kind !== "path") continue;
      const site = this.#siteOf(callee, value.path);
      if (site) this.#calls.push(site);
      if (value.path === "builtins.getattr") this.#lookAtGetattr(node);
    }
    this.#lookAtNamespaceMethod(node, callee);
  }

  #lookAtGetattr(node: SyntaxNode): void {
    const object = argumentOf(node, 0, null);
    const isOpen =
      object &&
      this.#evaluation.values(object).some((value) => this.#isModule(value) || isMapping(value));
    if (isOpen && !this.#isConstant(argumentOf(node, 1, null)))
      this.#addUnresolved(
        excerpt(node, 40),
        node,
        this.#evaluation.values(object).flatMap((value) => moduleOf(value) ?? []),
      );
  }

  /** `globals().get(name)` and the like. */
  #lookAtNamespaceMethod(node: SyntaxNode, callee: SyntaxNode): void {
    if (callee.type !== "attribute") return;
    const isNamespace = this.#evaluation
      .values(callee.children[0]!)
      .some(({ kind }) => kind === "namespace");
    if (
      isNamespace &&
      /\.(?:get|pop|setdefault|__getitem__)$/.test(callee.text) &&
      !this.#isConstant(argumentOf(node, 0, null))
    ) {
      this.#add("unresolved", excerpt(node, 40), node);
    }
  }

  /** Whether something is a module that has or may hold more than what is harmless. */
  #isModule(value: Value): boolean {
    return value.kind === "path" && value.isModule && !this.#map.isHarmless(value.path);
  }

  #lookAtImport(node: SyntaxNode): void {
    const from = node.childForFieldName("module_name");
    for (const item of from ? [from] : node.childrenForFieldName("name")) {
      const module = identifier(firstOperand(item) ?? item);
      this.#grant(this.#map.onImport(module), module, node, null);
    }
  }
}

/** Whether a node is what an attribute or subscript is taken of. */
function isObject(node: SyntaxNode): boolean {
  return (
    (node.parent?.type === "attribute" || node.parent?.type === "subscript") &&
    node.parent.children[0] === node
  );
}

/** Whether a value may be an object of a class that nobody told. */
function isUnknown(value: Value): boolean {
  return value.kind === "opaque" || value.kind === "instance";
}
