import { bindTarget, evaluateDefaults } from "./targets.js";
import { dottedName, identifier } from "../../structure/statements.js";
import type { SyntaxNode } from "../../structure/types.js";
import { firstOperand, isOperand, operands } from "../names.js";
import { attributeOf } from "./attributes.js";
import { Frame } from "./frame.js";
import { type Completion, type Interpreter, MAYBE, spoil } from "./interpreter.js";
import { lift } from "./lift.js";
import { binary } from "./operators.js";
import { iterate, path, truth, UNKNOWN, type Value } from "./value.js";

/** Rounds of a loop that are run one by one. */
const MOST_ROUNDS = 20_000;

/** What a `while True` may take. */
const ENDLESS_STEPS = 1_000;
/** Of more places where a block may be left, what comes after them is not told apart. */
const MOST_EXITS = 20;

/** Runs statements one after the other, until one of them leaves the block for certain. */
export function runBlock(
  run: Interpreter,
  statements: readonly SyntaxNode[],
  frame: Frame,
  exits = 0,
): Completion {
  for (let i = 0; i < statements.length; i++) {
    const before = run.maybe;
    run.maybe = 0;
    const end = runStatement(run, statements[i]!, frame);
    const maybe = run.maybe;
    run.maybe |= before;
    if (end !== "normal") return end;
    const goesOnElsewhere = (maybe & (MAYBE.break | MAYBE.continue)) !== 0;
    // What is left by `return` or an exception matters to callers only.
    if (!goesOnElsewhere && (maybe === 0 || !run.isCalled)) continue;
    if (exits >= MOST_EXITS) {
      run.maybe |= MAYBE.break;
      continue;
    }
    let rest = "normal" as Completion;
    const go = () => {
      rest = runBlock(run, statements.slice(i + 1), frame, exits + 1);
    };
    if (goesOnElsewhere) run.perhaps([go], true);
    else run.apart(go);
    if (rest === "left" && !goesOnElsewhere) return rest;
    run.maybe |= MAYBE[rest];
    return "normal";
  }
  return "normal";
}

function runStatement(run: Interpreter, node: SyntaxNode, frame: Frame): Completion {
  run.budget.step();
  switch (node.type) {
    case "expression_statement":
      for (const part of node.children) if (isOperand(part)) runExpression(run, part, frame);
      return "normal";
    case "import_statement":
    case "import_from_statement":
      runImport(run, node, frame);
      return "normal";
    case "global_statement":
      for (const name of operands(node)) frame.globals.add(identifier(name));
      return "normal";
    case "function_definition":
    case "class_definition":
    case "decorated_definition":
      runDefinition(run, node, frame);
      return "normal";
    case "return_statement": {
      const value = operands(node).map((part) => run.evaluate(part, frame))[0];
      run.activations.at(-1)?.returned.push(value ?? { type: "none" });
      return "left";
    }
    case "raise_statement":
    case "break_statement":
    case "continue_statement":
      for (const part of operands(node)) run.evaluate(part, frame);
      return node.type === "break_statement"
        ? "break"
        : node.type === "continue_statement"
          ? "continue"
          : "left";
    case "if_statement":
      return runIf(run, node, frame);
    case "for_statement":
      return runFor(run, node, frame);
    case "while_statement":
      return runWhile(run, node, frame);
    case "try_statement":
      return runTry(run, node, frame);
    case "with_statement":
      return runWith(run, node, frame);
    case "match_statement":
      return runMatch(run, node, frame);
    case "delete_statement":
      for (const target of operands(node).flatMap((part) =>
        part.type === "expression_list" ? operands(part) : [part],
      )) {
        if (target.type === "identifier") run.bind(frame, identifier(target), UNKNOWN);
        else if (target.children[0]) spoil(run.evaluate(target.children[0], frame));
      }
      return "normal";
    case "block":
      return run.run(operands(node), frame);
  }
  for (const part of operands(node)) run.evaluate(part, frame);
  return "normal";
}

function runExpression(run: Interpreter, node: SyntaxNode, frame: Frame): Value {
  if (node.type === "assignment") {
    const right = node.childForFieldName("right");
    const type = node.childForFieldName("type");
    const target = node.childForFieldName("left");
    if (type) run.evaluate(type, frame);
    if (!right) return UNKNOWN;
    const value =
      right.type === "assignment" || right.type === "augmented_assignment"
        ? runExpression(run, right, frame)
        : run.evaluate(right, frame);
    bindTarget(run, target, value, frame);
    return value;
  }
  if (node.type !== "augmented_assignment") return run.evaluate(node, frame);
  const target = node.childForFieldName("left")!;
  const right = run.evaluate(node.childForFieldName("right"), frame);
  const left = run.evaluate(target, frame);
  const operator = (node.childForFieldName("operator")?.type ?? "").slice(0, -1);
  let value: Value;
  if (left.type === "list") {
    // In place, so that others who have it see it too.
    const more = operator === "+" && run.mayChange(left) && !left.spoiled ? iterate(right) : null;
    if (more && run.budget.step(more.length))
      for (const item of more.slice()) left.items.push(item);
    else left.spoiled = true;
    value = left;
  } else if (left.type === "bytes" && left.isArray) {
    if (
      operator === "+" &&
      right.type === "bytes" &&
      run.mayChange(left) &&
      run.budget.make(left.text.length + right.text.length)
    )
      left.text += right.text;
    else left.isSpoiled = true;
    value = left;
  } else {
    spoil(left);
    value = lift([left, right], ([a, b]) => binary(operator, a!, b!, run.budget));
  }
  bindTarget(run, target, value, frame);
  return value;
}

function runImport(run: Interpreter, node: SyntaxNode, frame: Frame): void {
  const from = node.childForFieldName("module_name");
  const module = from?.type === "dotted_name" ? dottedName(from) : null;
  if (node.children.some(({ type }) => type === "wildcard_import")) run.importAll(module);
  for (const item of node.childrenForFieldName("name")) {
    const alias = item.childForFieldName("alias");
    const name = dottedName(alias ? item.childForFieldName("name")! : item);
    const top = name.split(".", 1)[0]!;
    const member: Value = from
      ? module === null
        ? UNKNOWN
        : attributeOf(run, path(module), name)
      : path(alias ? name : top);
    run.bind(frame, alias ? identifier(alias) : from ? name : top, member);
  }
}

function runDefinition(run: Interpreter, node: SyntaxNode, frame: Frame): void {
  const decorators = operands(node).filter(({ type }) => type === "decorator");
  for (const decorator of decorators)
    for (const part of operands(decorator)) run.evaluate(part, frame);
  const definition =
    node.type === "decorated_definition" ? node.childForFieldName("definition") : node;
  const name = definition?.childForFieldName("name");
  if (!definition || !name) return;
  if (definition.type === "function_definition") {
    evaluateDefaults(run, definition, frame);
    const type = definition.childForFieldName("return_type");
    if (type) run.evaluate(type, frame);
    run.pending.push({ node: definition, frame });
    const value: Value = { type: "function", node: definition, frame };
    return run.bind(frame, identifier(name), decorators.length > 0 ? UNKNOWN : value);
  }
  for (const base of operands(definition.childForFieldName("superclasses") ?? name))
    run.evaluate(base, frame);
  const inner = new Frame("class", frame);
  const body = definition.childForFieldName("body");
  if (body) run.run(operands(body), inner);
  run.bind(
    frame,
    identifier(name),
    decorators.length > 0 ? UNKNOWN : { type: "class", node: definition, frame: inner },
  );
}

function runIf(run: Interpreter, node: SyntaxNode, frame: Frame): Completion {
  const clauses = [node, ...node.childrenForFieldName("alternative")];
  const ways: (() => void)[] = [];
  const ends: Completion[] = [];
  let hasElse = false;
  for (const clause of clauses) {
    const condition = clause.childForFieldName("condition");
    const body = clause.childForFieldName("consequence") ?? clause.childForFieldName("body");
    const holds = condition ? truth(run.evaluate(condition, frame)) : true;
    if (holds === false) continue;
    if (holds === true && ways.length === 0)
      return body ? run.run(operands(body), frame) : "normal";
    if (body) ways.push(() => ends.push(run.run(operands(body), frame)));
    hasElse = holds === true;
    if (hasElse) break;
  }
  if (ways.length > 0) run.perhaps(ways, !hasElse);
  return joint(run, ends, hasElse);
}

/** How alternatives end together. */
function joint(run: Interpreter, ends: readonly Completion[], isComplete: boolean): Completion {
  const [first] = ends;
  if (first === undefined) return "normal";
  if (isComplete && ends.every((end) => end === first)) return first;
  for (const end of ends) run.maybe |= MAYBE[end];
  return "normal";
}

function runFor(run: Interpreter, node: SyntaxNode, frame: Frame): Completion {
  const source = run.evaluate(node.childForFieldName("right"), frame);
  const body = operands(node.childForFieldName("body")!);
  const target = node.childForFieldName("left");
  const items = node.children[0]?.type === "async" ? null : iterate(source);
  const known = items && items.length <= MOST_ROUNDS ? items : [];
  const end = runRounds(run, run.budget.stepsLeft / 3, (round) => {
    if (round >= known.length) return items && known.length === items.length ? "done" : "unknown";
    bindTarget(run, target, known[round]!, frame);
    return run.run(body, frame);
  });
  if (end === "unknown") {
    if (!items) spoil(source);
    repeatUnknown(run, node, frame, () => {
      bindTarget(run, target, UNKNOWN, frame);
      run.run(body, frame);
    });
  }
  return end === "left" ? "left" : runElse(run, node, frame);
}

function runWhile(run: Interpreter, node: SyntaxNode, frame: Frame): Completion {
  const condition = node.childForFieldName("condition")!;
  const body = operands(node.childForFieldName("body")!);
  // What goes on until something happens seldom ends soon.
  const isEndless = condition.type === "true" || condition.type === "integer";
  const most = isEndless ? ENDLESS_STEPS : run.budget.stepsLeft / 3;
  const end = runRounds(run, most, () => {
    const holds = truth(run.evaluate(condition, frame));
    if (holds !== true) return holds === false ? "done" : "unknown";
    return run.run(body, frame);
  });
  if (end === "unknown") {
    repeatUnknown(run, node, frame, () => {
      run.evaluate(condition, frame);
      run.run(body, frame);
    });
  }
  return end === "left" ? "left" : runElse(run, node, frame);
}

/** Runs a loop round by round, until it ends or that is not known. */
function runRounds(
  run: Interpreter,
  steps: number,
  go: (round: number) => Completion | "done" | "unknown",
): "done" | "unknown" | "left" {
  const before = run.maybe;
  const allowance = run.budget.stepsLeft - steps;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (round > 0 && (!run.mayGoOn() || run.budget.stepsLeft < allowance)) return "unknown";
    run.maybe = 0;
    const end = go(round);
    const maybe = run.maybe;
    run.maybe = before | (maybe & MAYBE.left);
    if ((maybe & MAYBE.break) !== 0 || end === "unknown") return "unknown";
    if (end === "done" || end === "break") return "done";
    if (end === "left") return "left";
  }
  return "unknown";
}

/** Runs the body of a loop whose rounds are not counted: with what it binds unknown, and what it changes after the first time. */
function repeatUnknown(run: Interpreter, node: SyntaxNode, frame: Frame, body: () => void): void {
  run.forget(node, frame);
  const once = () => {
    run.forget(node, frame);
    body();
  };
  const before = run.maybe;
  run.perhaps(run.loops++ === 0 ? [once, once] : [once], true);
  run.loops--;
  run.maybe = before | (run.maybe & MAYBE.left);
}

function runElse(run: Interpreter, node: SyntaxNode, frame: Frame): Completion {
  const otherwise = node.childForFieldName("alternative")?.childForFieldName("body");
  if (otherwise) run.perhaps([() => void run.run(operands(otherwise), frame)], true);
  return "normal";
}

function runTry(run: Interpreter, node: SyntaxNode, frame: Frame): Completion {
  const body = node.childForFieldName("body")!;
  const handlers = operands(node).filter(({ type }) => type.startsWith("except"));
  const names = handlers.length > 0 ? [...run.surroundings.survey.boundWithin(body)] : [];
  const before = names.map((name) => frame.values.get(name));
  const ends: Completion[] = [];
  if (handlers.length > 0) run.apart(() => ends.push(run.run(operands(body), frame)));
  else ends.push(run.run(operands(body), frame));
  const ways = handlers.map((handler) => () => {
    // It may have stopped anywhere.
    for (const [i, name] of names.entries()) {
      const after = frame.values.get(name);
      if (after !== before[i]) run.bind(frame, name, UNKNOWN);
    }
    const parts = operands(handler);
    for (const part of parts) {
      if (part.type === "block") ends.push(run.run(operands(part), frame));
      else if (part.type === "as_pattern")
        bindTarget(run, part.childForFieldName("alias"), UNKNOWN, frame);
      else run.evaluate(part, frame);
    }
  });
  if (ways.length > 0) run.perhaps([() => undefined, ...ways], false);
  for (const clause of operands(node)) {
    if (clause.type !== "else_clause" && clause.type !== "finally_clause") continue;
    for (const part of operands(clause))
      if (part.type === "block") ends.push(run.run(operands(part), frame));
  }
  return joint(run, ends, true);
}

function runWith(run: Interpreter, node: SyntaxNode, frame: Frame): Completion {
  const clause = operands(node).find(({ type }) => type === "with_clause");
  for (const item of clause ? operands(clause) : []) {
    const value = item.childForFieldName("value") ?? firstOperand(item);
    if (!value) continue;
    if (value.type === "as_pattern") {
      spoil(run.evaluate(firstOperand(value), frame));
      bindTarget(run, value.childForFieldName("alias"), UNKNOWN, frame);
    } else spoil(run.evaluate(value, frame));
  }
  const body = node.childForFieldName("body");
  // A context manager may hide an exception.
  const ends: Completion[] = [];
  if (body) run.apart(() => ends.push(run.run(operands(body), frame)));
  return joint(run, ends, false);
}

function runMatch(run: Interpreter, node: SyntaxNode, frame: Frame): Completion {
  for (const subject of node.childrenForFieldName("subject")) spoil(run.evaluate(subject, frame));
  const body = node.childForFieldName("body");
  const cases = (body ? operands(body) : []).filter(({ type }) => type === "case_clause");
  const ends: Completion[] = [];
  const ways = cases.map((clause) => () => {
    run.forget(clause, frame);
    for (const name of run.surroundings.survey.boundWithin(clause)) run.bind(frame, name, UNKNOWN);
    for (const part of operands(clause)) {
      if (part.type === "block") ends.push(run.run(operands(part), frame));
      else if (part.type === "if_clause") run.evaluate(firstOperand(part), frame);
    }
  });
  if (ways.length > 0) run.perhaps(ways, true);
  return joint(run, ends, false);
}
