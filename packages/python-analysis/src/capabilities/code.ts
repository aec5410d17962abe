import type { SyntaxNode } from "../structure/types.js";
import { argumentsOf } from "./arguments.js";
import type { Evaluation } from "./evaluate.js";
import type { Folding } from "./folding/record.js";
import { operands } from "./names.js";
import type { Program } from "./program.js";

type Runner = readonly [path: string, code: readonly (number | string)[]];

/** Functions that run code, and which of their arguments are code. */
const RUNNERS: ReadonlyMap<string, readonly (number | string)[]> = new Map<
  string,
  readonly (number | string)[]
>([
  ...["builtins.exec", "builtins.eval", "builtins.compile", "codeop.compile_command"].map(
    (path): Runner => [path, [0, "source"]],
  ),
  ...["timeit.timeit", "timeit.repeat", "timeit.Timer"].map((path): Runner => [
    path,
    [0, 1, "stmt", "setup"],
  ]),
  ...[
    "cProfile.run",
    "cProfile.runctx",
    "profile.run",
    "profile.runctx",
    "pdb.run",
    "pdb.runeval",
    "bdb.Bdb.run",
  ].map((path): Runner => [path, [0, "statement", "expression"]]),
]);
/** Those that are handed on to be called with what else is handed on. */
const HANDED_ON: ReadonlySet<string> = new Set(["builtins.exec", "builtins.eval"]);
const MOST_PARTS = 20;

/** A call that runs code in one of its arguments. */
interface CodeArgument {
  readonly call: SyntaxNode;
  readonly argument: SyntaxNode;
}

/** The arguments of calls that are run as code. */
export function codeArguments(
  nodes: readonly SyntaxNode[],
  evaluation: Evaluation,
): CodeArgument[] {
  const found: CodeArgument[] = [];
  for (const call of nodes) {
    if (call.type !== "call") continue;
    const callee = call.childForFieldName("function");
    if (!callee) continue;
    const taken: (number | string)[] = [];
    for (const value of evaluation.values(callee))
      if (value.kind === "path") taken.push(...(RUNNERS.get(value.path) ?? []));
    // A method of `code.InteractiveInterpreter`, of which no other class has the like.
    if (callee.type === "attribute" && callee.children.at(-1)!.text === "runsource")
      taken.push(0, "source");
    const isHandedOn = argumentsOf(call).some(({ value }) =>
      evaluation.values(value).some((each) => each.kind === "path" && HANDED_ON.has(each.path)),
    );
    if (taken.length === 0 && !isHandedOn) continue;
    for (const [i, { keyword, value }] of argumentsOf(call).entries()) {
      if (!isHandedOn && !taken.includes(keyword ?? i)) continue;
      found.push({ call, argument: value });
      if (isHandedOn && /^(?:list|tuple|dictionary)$/.test(value.type))
        for (const argument of operands(value).slice(0, MOST_PARTS)) found.push({ call, argument });
    }
  }
  return found;
}

/**
 * Reads the code that calls run, as far as it is constant.
 *
 * @param unread - gets the calls whose code is more than is read
 * @returns whether there is any that was not known before
 */
export function readCode(
  program: Program,
  evaluation: Evaluation,
  folding: Folding,
  unread: Set<SyntaxNode>,
): boolean {
  let isNew = false;
  for (const { call, argument } of codeArguments(program.nodes, evaluation)) {
    for (const text of textsOf(argument, evaluation, folding)) {
      const added = program.add(call, text);
      isNew ||= added === true;
      if (added === null) unread.add(call);
    }
  }
  return isNew;
}

function textsOf(node: SyntaxNode, evaluation: Evaluation, folding: Folding): Set<string> {
  const texts = new Set<string>();
  for (const { type, text } of folding.of(node)?.options ?? [])
    texts.add(type === "str" ? text : Buffer.from(text, "latin1").toString("utf8"));
  for (const value of evaluation.values(node)) if (value.kind === "string") texts.add(value.text);
  return new Set(Array.from(texts, (text) => text.replace(/\r\n?/g, "\n").replace(/^\ufeff/, "")));
}
