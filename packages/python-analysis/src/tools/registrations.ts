import type { ToolProfile } from "@sluice/contracts";
import { identifier, statements } from "../structure/statements.js";
import type { ParsedModule, SyntaxNode } from "../structure/types.js";
import { operands } from "./python/operands.js";

/** A call that makes a tool of a function, or the decorator that does. */
export interface Registration {
  /** The call whose arguments say what the tool is like; any other node where nothing does. */
  readonly node: SyntaxNode;
  /** Names of its arguments without one, in order; empty for one that says nothing of the tool. */
  readonly positional: readonly string[];
}

const SDK_OPTIONS = "name title description annotations icons meta structured_output".split(" ");

/** Names of the arguments without one that a decorator takes: FastMCP's only its name. */
export const positionalOptions = (profile: ToolProfile): readonly string[] =>
  profile === "mcp" ? SDK_OPTIONS : ["name"];

/** Whether a module uses one of the runtimes, so that what it calls `add_tool` is likely theirs. */
const RUNTIME = /^\s*(?:from|import)\s+(?:fastmcp|mcp)\b/m;

/**
 * The functions that a module makes tools of by a call instead of a decorator, by their names: `mcp.add_tool(f)`, `mcp.tool(f)`,
 * `mcp.tool(name="x")(f)`, `mcp.add_tool(Tool.from_function(f))` and `FastMCP(tools=[f])`.
 */
export function registeredFunctions(
  parsed: ParsedModule,
  profile: ToolProfile,
): ReadonlyMap<string, Registration> {
  const found = new Map<string, Registration>();
  if (!RUNTIME.test(parsed.root.text)) return found;
  const positional = positionalOptions(profile);
  for (const statement of statements(parsed)) {
    if (statement.type !== "expression_statement") continue;
    let expression = operands(statement)[0];
    if (expression?.type === "assignment")
      expression = expression.childForFieldName("right") ?? undefined;
    if (expression?.type === "call") readCall(expression, positional, found);
  }
  return found;
}

function readCall(
  call: SyntaxNode,
  positional: readonly string[],
  found: Map<string, Registration>,
): void {
  const callee = call.childForFieldName("function");
  const args = operands(call.childForFieldName("arguments") ?? call);
  const [first] = args;
  const add = (target: SyntaxNode | undefined, registration: Registration): void => {
    for (const name of target ? namesOf(target) : []) found.set(name, registration);
  };
  if (callee?.type === "call" && methodName(callee) === "tool")
    return add(first, { node: callee, positional });
  for (const item of args) {
    if (item.type !== "keyword_argument" || item.childForFieldName("name")?.text !== "tools")
      continue;
    const listed = item.childForFieldName("value");
    const isServer = /(?:^|\.)(?:FastMCP|MCPServer)$/.test(callee?.text ?? "");
    for (const each of isServer && listed ? operands(listed) : []) addTool(each);
  }
  const method = methodName(call);
  if (method === "tool" || method === "add_tool") addTool(first);

  function addTool(given: SyntaxNode | undefined): void {
    const isMade = given?.type === "call" && methodName(given) === "from_function";
    const source = isMade ? given : call;
    const target = isMade ? operands(given.childForFieldName("arguments") ?? given)[0] : given;
    add(target, { node: source, positional: ["", ...positional] });
  }
}

const methodName = (call: SyntaxNode): string | undefined =>
  call.childForFieldName("function")?.childForFieldName("attribute")?.text;

/** The function that an argument names; those of the loop around it, where it is a loop's variable. */
function namesOf(target: SyntaxNode): readonly string[] {
  if (target.type !== "identifier") return [];
  const name = identifier(target);
  for (let outer = target.parent; outer; outer = outer.parent) {
    if (outer.type !== "for_statement" || outer.childForFieldName("left")?.text !== name) continue;
    const over = outer.childForFieldName("right");
    return /^(tuple|list|expression_list)$/.test(over?.type ?? "")
      ? operands(over!).flatMap((each) => (each.type === "identifier" ? [identifier(each)] : []))
      : [];
  }
  return [name];
}
