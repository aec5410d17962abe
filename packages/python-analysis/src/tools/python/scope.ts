import { withoutParentheses } from "../../structure/strings.js";
import type { SyntaxNode } from "../../structure/types.js";
import {
  type Binding,
  type Block,
  type Condition,
  type Reach,
  collectBindings,
} from "./bindings.js";
import { isKnownModule, moduleMember } from "./library.js";
import type { Interpreter } from "./interpreter.js";
import { type Value, unknown } from "./values.js";

/** Where an expression stands: the names it sees, and up to where in the source they are already bound. */
export interface Frame {
  readonly scope: Scope;
  /** Offset into the source; `Infinity` for annotations that are evaluated when everything is defined. */
  readonly before: number;
  /** Names that the expression itself binds: the variables of comprehensions and lambdas. */
  readonly locals?: ReadonlyMap<string, Value>;
}

/** The names of a module, a function or a class, and those around them. */
export class Scope {
  readonly block: Block;
  readonly #values = new Map<Binding, { result: Value; unset: ReadonlySet<string> }>();
  readonly #running = new Set<Binding>();
  #defers: boolean | undefined;

  constructor(
    readonly interpreter: Interpreter,
    readonly kind: "module" | "function" | "class",
    /** `C` or `f.<locals>`, to start qualified names with; empty for a module. */
    readonly path: string,
    readonly parent: Scope | null,
    statements: readonly SyntaxNode[],
    readonly parameters: ReadonlySet<string> = new Set(),
  ) {
    this.block = collectBindings(statements, (condition) => this.#judge(condition));
  }

  get module(): Scope {
    return this.parent ? this.parent.module : this;
  }

  /** The value of a name, or `undefined` where Python raises `NameError`. */
  lookup(name: string, before: number): Value | undefined {
    const own = this.own(name, before);
    if (own) return own;
    if (this.parameters.has(name))
      return unknown(`\`${name}\` is a parameter of the function around`);
    // A class body does not see the names of the class around it.
    let outer = this.parent;
    while (outer?.kind === "class") outer = outer.parent;
    if (outer) return outer.lookup(name, before);
    const builtin = moduleMember("builtins", name);
    if (builtin) return builtin;
    // A module of which not every name is known may have the name; one that is known to have it comes before.
    let perhaps: Value | undefined;
    for (const module of this.block.stars.toReversed()) {
      const member = moduleMember(module, name);
      if (member && member.kind !== "unknown") return member;
      if (!isKnownModule(module)) perhaps ??= member;
    }
    return perhaps;
  }

  /** The value that the statements of this scope itself give a name. */
  own(name: string, before: number): Value | undefined {
    const found = this.block.bindings.get(name);
    if (!found) return undefined;
    const binding = chooseBinding(found.filter((candidate) => candidate.at <= before));
    if (binding === undefined) return undefined;
    if (binding === "ambiguous")
      return unknown(`which of its values \`${name}\` has is known only at run time`);
    const value = this.valueOf(binding);
    const mutable = value.kind === "list" || value.kind === "dict" || value.kind === "set";
    return mutable && this.block.changed.has(name)
      ? unknown(`\`${name}\` is changed after it was made`)
      : value;
  }

  /** Whether the module keeps annotations as strings, by `from __future__ import annotations`. */
  get defersAnnotations(): boolean {
    return (this.#defers ??= this.#findFuture());
  }

  #findFuture(): boolean {
    for (const bindings of this.module.block.bindings.values()) {
      if (
        bindings.some(
          ({ source }) =>
            source.kind === "import" &&
            source.module === "__future__" &&
            source.attribute === "annotations",
        )
      )
        return true;
    }
    return false;
  }

  /** Whether a name is bound only where type checkers look. */
  isForTypeCheckers(name: string): boolean {
    const found = this.block.bindings.get(name);
    return found !== undefined && found.every(({ reach }) => reach === "type-checking");
  }

  /** Lets a binding have another value than its statement says, before anything has read it. */
  assume(binding: Binding, value: Value): void {
    this.#values.set(binding, { result: value, unset: new Set() });
  }

  valueOf(binding: Binding): Value {
    const known = this.#values.get(binding);
    if (known) {
      this.interpreter.assumptions.addUnset(known.unset);
      return known.result;
    }
    if (this.#running.has(binding)) return unknown(`\`${binding.name}\` is defined by itself`);
    this.#running.add(binding);
    try {
      const found = this.interpreter.assumptions.during(() =>
        this.interpreter.bound(binding, this),
      );
      this.#values.set(binding, found);
      return found.result;
    } finally {
      this.#running.delete(binding);
    }
  }

  #judge(condition: SyntaxNode): Condition {
    const text = withoutParentheses(condition).text.replace(/\s/g, "");
    if (/^(\w+\.)?TYPE_CHECKING$/.test(text)) return "type-checking";
    if (/^not(\w+\.)?TYPE_CHECKING$/.test(text)) return true;
    if (text === "True" || text === "1") return true;
    if (text === "False" || text === "0") return false;
    return judgePlatform(text);
  }
}

/** The Python that answers questions about its version and its platform: the one the reference answers are made with. */
const VERSION = [3, 11];
const PLATFORM = "linux";
const OS_NAME = "posix";

function judgePlatform(text: string): Condition {
  const version = /^sys\.version_info(?:\[:2\])?(>=|<|>|<=)\(([\d,]+)\)$/.exec(text);
  if (version) {
    const wanted = version[2]!.split(",").filter(Boolean).map(Number);
    // As tuples compare: (3, 11, …) is greater than (3, 11).
    const difference =
      VERSION.map((part, i) => part - (wanted[i] ?? 0)).find((part) => part !== 0) ?? 1;
    if (wanted.length === 1 && wanted[0] === VERSION[0])
      return version[1] === ">=" || version[1] === ">";
    return version[1]!.startsWith(">") ? difference > 0 : difference < 0;
  }
  const major = /^sys\.version_info(?:\[0\]|\.major)(==|>=|<|>)(\d)$/.exec(text);
  if (major) {
    const wanted = Number(major[2]);
    return (
      { "==": wanted === 3, ">=": wanted <= 3, "<": wanted > 3, ">": wanted < 3 }[major[1]!] ??
      "unknown"
    );
  }
  const platform = /^(sys\.platform|os\.name)(==|!=)["'](\w+)["']$/.exec(text);
  if (platform)
    return (
      (platform[3] === (platform[1] === "os.name" ? OS_NAME : PLATFORM)) === (platform[2] === "==")
    );
  return "unknown";
}

const PREFERENCE: readonly Reach[] = ["always", "perhaps", "fallback", "type-checking"];

/** The binding that holds when a name is read: the last, of those surest to be reached. */
function chooseBinding(candidates: readonly Binding[]): Binding | "ambiguous" | undefined {
  const last = candidates.at(-1);
  if (!last || last.reach === "always") return last;
  const certain = candidates.filter(({ reach }) => reach === "always" || reach === "perhaps");
  if (certain.length > 0) {
    const latest = certain.at(-1)!;
    if (latest.reach === "always" || certain.length === 1) return latest;
    return "ambiguous";
  }
  const reach = PREFERENCE.find((wanted) =>
    candidates.some((candidate) => candidate.reach === wanted),
  );
  return candidates.findLast((candidate) => candidate.reach === reach);
}
