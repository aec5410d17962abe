import { DEEPEST_EXPRESSION, MOST_ITEMS } from "./limits.js";
import {
  UNKNOWN,
  UNKNOWN_HIDDEN,
  type Value,
  isHidden,
  iterate,
  iterator,
  list,
  truth,
  tuple,
} from "./value.js";
import { type Interpreter } from "./interpreter.js";
import { Frame } from "./frame.js";
import { firstOperand, operands } from "../names.js";
import { bindTarget } from "./targets.js";
import { type SyntaxNode } from "../../structure/types.js";
import { makeDictionary } from "./iteration.js";

export function comprehension(run: Interpreter, node: SyntaxNode, outer: Frame): Value {
  const frame = new Frame("comprehension", outer);
  const body = node.childForFieldName("body") ?? firstOperand(node);
  const clauses = operands(node).filter((part) => part !== body);
  const results: Value[] = [];
  let isKnown = true;
  const go = (at: number): void => {
    const clause = clauses[at];
    if (!clause) {
      if (body?.type === "pair")
        results.push(tuple(operands(body).map((part) => run.evaluate(part, frame))));
      else if (body) results.push(run.evaluate(body, frame));
      if (results.length > MOST_ITEMS) isKnown = false;
      return;
    }
    if (clause.type === "if_clause") {
      const holds = truth(run.evaluate(firstOperand(clause), frame));
      if (holds === null) isKnown = false;
      if (holds !== false) go(at + 1);
      return;
    }
    const target = clause.childForFieldName("left");
    const source = run.evaluate(clause.childForFieldName("right"), at === 0 ? outer : frame);
    const values = clause.children.some(({ type }) => type === "async") ? null : iterate(source);
    if (!values) {
      isKnown = false;
      bindTarget(run, target, isHidden(source) ? UNKNOWN_HIDDEN : UNKNOWN, frame);
      run.perhaps([() => go(at + 1)], true);
      return;
    }
    for (const value of values) {
      if (!run.budget.step(4)) {
        isKnown = false;
        bindTarget(run, target, UNKNOWN, frame);
        run.perhaps([() => go(at + 1)], true);
        return;
      }
      bindTarget(run, target, value, frame);
      go(at + 1);
    }
  };
  if (clauses.length < DEEPEST_EXPRESSION / 10) go(0);
  else isKnown = false;
  if (!isKnown) return results.some(isHidden) ? UNKNOWN_HIDDEN : UNKNOWN;
  switch (node.type) {
    case "list_comprehension":
      return list(results);
    case "generator_expression":
      return iterator(results);
    case "dictionary_comprehension":
      return makeDictionary(results);
    default:
      return UNKNOWN;
  }
}
