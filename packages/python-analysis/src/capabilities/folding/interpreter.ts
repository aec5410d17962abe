import type { SyntaxNode } from "../../structure/types.js";
import { Bindings, Frame } from "./frame.js";
import type { Budget } from "./limits.js";
import { DEEPEST_EXPRESSION } from "./limits.js";
import { FoldingRecord } from "./record.js";
import type { Survey } from "./survey.js";
import {
  type Arguments,
  type Constant,
  either,
  optionsOf,
  path,
  UNKNOWN,
  type Value,
} from "./value.js";

/** Code in a constant string, and the call that runs it. */
export interface NestedCode {
  readonly host: SyntaxNode;
  readonly root: SyntaxNode;
}

/** What is asked of the script around what is run. */
export interface Surroundings {
  readonly survey: Survey;
  isBuiltin(name: string): boolean;
  /** The code that a call runs, as far as it was found before. */
  codeRunBy(call: SyntaxNode): readonly NestedCode[];
}

/** The meaning of Python's expressions and statements. */
export interface Rules {
  evaluate(run: Interpreter, node: SyntaxNode, frame: Frame): Value;
  run(run: Interpreter, statements: readonly SyntaxNode[], frame: Frame): Completion;
  call(run: Interpreter, callee: Value, given: Arguments): Value;
}

/** How statements end: at their end, or for certain before that. */
export type Completion = "normal" | "continue" | "break" | "left";

/** How statements may have ended before their end, and may not have. */
export const MAYBE: Readonly<Record<Completion, number>> = {
  normal: 0,
  continue: 1,
  break: 2,
  left: 4,
};

interface Activation {
  readonly returned: Value[];
}

/**
 * Runs a script as far as that needs nothing but its own text: names and containers hold what is known of them, both ways of an
 * unknown condition are taken, and whatever cannot be known is {@link UNKNOWN}. Nothing outside is reached, and no statement
 * that does so is carried out.
 *
 * Loops are run round by round, and functions call by call, only while the budget lasts; else once, with what they bind unknown.
 */
export class Interpreter {
  readonly budget: Budget;
  readonly bindings = new Bindings();
  readonly record: FoldingRecord;
  readonly surroundings: Surroundings;
  /** Modules of `from … import *`, in which names are looked up before the builtins; `null` for all whose functions are not worked out. */
  readonly #stars: (string | null)[] = [];
  /** Members of modules that the script replaces. */
  readonly replaced = new Set<string>();
  readonly activations: Activation[] = [];
  /** Functions to be run once by themselves, as anybody may call them with anything. */
  readonly pending: { readonly node: SyntaxNode; readonly frame: Frame }[] = [];
  readonly seen = new Set<SyntaxNode>();
  /** Whether code that is not known has been run, which may bind any name. */
  ranUnknownCode = false;
  /** Of {@link MAYBE}: how what was run may have ended before its end. */
  maybe = 0;
  /** How many loops without a known number of rounds are being run. */
  loops = 0;
  /** Whether what is run may be run at any time: names further out may hold whatever they ever held. */
  atAnyTime = false;
  readonly #rules: Rules;
  #depth = 0;
  #calls = 0;
  #callsEnd = 0;
  #callSteps = 0;
  /** By what can change, the way on which it was made: it can be told what a change makes of it there only. */
  readonly #madeOn = new Map<Constant, number>();
  #way = 0;
  #ways = 0;

  /** @param size - how many nodes there are in all */
  constructor(size: number, budget: Budget, surroundings: Surroundings, rules: Rules) {
    this.record = new FoldingRecord(size);
    this.#rules = rules;
    this.budget = budget;
    this.surroundings = surroundings;
  }

  /** @param node - absent where tree-sitter made do without a part that the grammar promises */
  evaluate(node: SyntaxNode | null | undefined, frame: Frame): Value {
    if (!node || this.#depth > DEEPEST_EXPRESSION) return UNKNOWN;
    this.#depth++;
    this.budget.step();
    const value = this.#rules.evaluate(this, node, frame);
    if (RECORDED.has(node.type)) this.record.add(node, value);
    if (changesItself(value) && !this.#madeOn.has(value)) this.#madeOn.set(value, this.#way);
    this.#depth--;
    return value;
  }

  run(statements: readonly SyntaxNode[], frame: Frame): Completion {
    if (this.#depth > DEEPEST_EXPRESSION) return "normal";
    this.#depth++;
    const end = this.#rules.run(this, statements, frame);
    this.#depth--;
    return end;
  }

  /** Whether a change to something can be followed; else it is unknown from now on. */
  mayChange(value: Constant): boolean {
    if (this.#madeOn.get(value) === this.#way) return true;
    spoil(value);
    return false;
  }

  /** Runs alternatives and joins what they make of the names; see {@link Bindings.alternatives}. */
  perhaps(runs: readonly (() => void)[], orNone: boolean): void {
    this.bindings.alternatives(runs, orNone, this.#apart);
  }

  /** Runs what may not be run to its end, or not only once. */
  apart(run: () => void): void {
    const before = this.#way;
    this.#way = ++this.#ways;
    run();
    this.#way = before;
  }

  readonly #apart = (run: () => void) => this.apart(run);

  call(callee: Value, given: Arguments): Value {
    return this.#rules.call(this, callee, given);
  }

  bind(frame: Frame, name: string, value: Value): void {
    const { survey } = this.surroundings;
    const owner = frame.globals.has(name) ? frame.module : frame;
    if (survey.shared.has(name)) {
      spoil(value);
      return this.bindings.set(owner, name, UNKNOWN);
    }
    if (survey.changesElsewhere(name, owner.kind === "function" ? owner.node : null)) spoil(value);
    const before = owner.values.get(name);
    if (before !== undefined && before !== value) owner.rebound.add(name);
    this.bindings.set(owner, name, value);
  }

  /** What a name stands for; without a frame of its own that has it, one of Python's own. */
  load(name: string, from: Frame, node: SyntaxNode | null = null): Value {
    for (let frame: Frame | null = from; frame; frame = frame.parent) {
      if (frame.kind === "class" && frame !== from) continue;
      const value = frame.values.get(name);
      if (value === undefined) continue;
      if (value.type === "bytes" && value.isSpoiled) return UNKNOWN;
      if (this.atAnyTime && frame.kind !== "comprehension" && !this.#isOwn(frame, from)) {
        return frame.rebound.has(name) ? UNKNOWN : value;
      }
      const { survey } = this.surroundings;
      const isAttribute =
        survey.reachesItself &&
        (survey.storesAnyAttribute || survey.storedAttributes.has(name)) &&
        frame.kind === "module";
      const mayDiffer =
        this.ranUnknownCode || isAttribute || (survey.bindsByNamespace && frame.kind === "module");
      if (!mayDiffer) return value;
      if (node && optionsOf(value).some(({ type }) => type === "str")) this.record.doubt(node);
      return either(value, UNKNOWN);
    }
    if (name === "__builtins__") return path("builtins");
    const isBuiltin = this.surroundings.isBuiltin(name);
    if (this.#stars.length === 0) return isBuiltin ? path(`builtins.${name}`) : UNKNOWN;
    const found: Value[] = this.#stars.map((module) =>
      module === null ? UNKNOWN : path(`${module}.${name}`),
    );
    if (isBuiltin) found.push(path(`builtins.${name}`));
    return found.reduce(either);
  }

  /** @param module - of `from module import *`; `null` for a relative one */
  importAll(module: string | null): void {
    const known = module !== null && STAR_MODULES.has(module) ? module : null;
    if (!this.#stars.includes(known)) this.#stars.push(known);
  }

  /** Whether a frame is that of the function that is run itself. */
  #isOwn(frame: Frame, from: Frame): boolean {
    let own: Frame | null = from;
    while (own && own !== frame && own.kind === "comprehension") own = own.parent;
    return own === frame;
  }

  /** Whether a loop may have one more round. */
  mayGoOn(): boolean {
    return !this.budget.isSpent;
  }

  /** Whether the script's own functions may be called: the outermost call gets some steps, more for long arguments. */
  mayCall(length: number): boolean {
    if (this.budget.isSpent) return false;
    if (this.#calls > 0) return this.budget.stepsLeft > this.#callsEnd;
    const steps = CALL_STEPS + STEPS_PER_CHARACTER * length;
    this.#callsEnd = this.budget.stepsLeft - steps;
    // Long arguments are what decoders get, short ones what everything else gets.
    return length >= LONG_ARGUMENT || this.#callSteps < MOST_CALL_STEPS;
  }

  /** Runs a call of one of the script's own functions. */
  within<T>(run: () => T): T {
    const before = this.budget.stepsLeft;
    this.#calls++;
    try {
      return run();
    } finally {
      this.#calls--;
      if (this.#calls === 0) this.#callSteps += before - this.budget.stepsLeft;
    }
  }

  /** Runs every function that was defined once more, as it is when anybody calls it at any time. */
  runPending(): void {
    for (let next = this.pending.pop(); next; next = this.pending.pop()) {
      const { node, frame: outer } = next;
      if (this.seen.has(node)) continue;
      this.seen.add(node);
      const frame = new Frame("function", outer, node);
      const { survey } = this.surroundings;
      this.atAnyTime = true;
      for (const parameter of node.childForFieldName("parameters")?.namedChildren ?? [])
        for (const name of survey.boundWithin(parameter)) this.bind(frame, name, UNKNOWN);
      this.activations.push({ returned: [] });
      const body = node.childForFieldName("body")!;
      if (node.type === "lambda") this.evaluate(body, frame);
      else
        this.run(
          body.namedChildren.filter(({ type }) => type !== "comment"),
          frame,
        );
      this.activations.pop();
    }
  }

  /** Whether what is run was called by what is run. */
  get isCalled(): boolean {
    return this.#calls > 0;
  }

  /** What is in something that is handed to what is not known: nothing can be said of it any more. */
  escape(given: Arguments): void {
    for (const value of given.positional) spoil(value);
    for (const value of given.named.values()) spoil(value);
  }

  /** Before what may be run again and again: its names may be bound by a former round. */
  forget(node: SyntaxNode, frame: Frame): void {
    for (const name of this.surroundings.survey.boundWithin(node)) {
      for (let each: Frame | null = frame; each; each = each.parent)
        if (each.values.has(name)) this.bindings.set(each, name, UNKNOWN);
    }
  }
}

/** What a call of one of the script's own functions may take, with all that it calls. */
const CALL_STEPS = 1_000;
/** As for each character or item of its arguments. */
const STEPS_PER_CHARACTER = 50;
const LONG_ARGUMENT = 100;
/** What all calls with short arguments may take. */
const MOST_CALL_STEPS = 10_000;
/** Modules whose functions are worked out, and that are imported whole by those who hide that. */
const STAR_MODULES = new Set([
  "base64",
  "binascii",
  "codecs",
  "zlib",
  "functools",
  "operator",
  "string",
  "itertools",
]);

const RECORDED = new Set([
  "identifier",
  "attribute",
  "call",
  "subscript",
  "binary_operator",
  "string",
  "concatenated_string",
  "conditional_expression",
  "boolean_operator",
  "parenthesized_expression",
  "named_expression",
]);

/** Whether something can change without what is in it. */
function changesItself(value: Value): value is Constant {
  switch (value.type) {
    case "list":
    case "set":
    case "dict":
    case "iterator":
      return true;
    case "bytes":
      return value.isArray;
    default:
      return false;
  }
}

/** Makes everything that can change in a value unknown. */
export function spoil(value: Value): void {
  if (!CHANGEABLE.has(value.type)) return;
  const pending: Value[] = [value];
  for (let next = pending.pop(); next; next = pending.pop()) {
    switch (next.type) {
      case "list":
      case "set":
        if (!next.spoiled) pending.push(...next.items);
        next.spoiled = true;
        break;
      case "iterator":
        if (!next.spoiled) pending.push(...next.items);
        next.spoiled = true;
        break;
      case "dict":
        if (!next.spoiled) for (const [, item] of next.entries.values()) pending.push(item);
        next.spoiled = true;
        break;
      case "bytes":
        if (next.isArray) next.isSpoiled = true;
        break;
      case "tuple":
        pending.push(...next.items.filter(({ type }) => CHANGEABLE.has(type)));
        break;
      case "choice":
        pending.push(...next.options);
        break;
      case "method":
        pending.push(next.self);
        break;
      case "partial":
        pending.push(...next.given.positional);
        break;
      default:
    }
  }
}

const CHANGEABLE = new Set([
  "list",
  "set",
  "iterator",
  "dict",
  "bytes",
  "tuple",
  "choice",
  "method",
  "partial",
]);
