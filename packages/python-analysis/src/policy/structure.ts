/**
 * What a policy says of how a script must look: its size and complexity, its docstrings, the functions it must have.
 */
import type { Finding } from "@sluice/contracts";
import type { MeasuredComplexity } from "../complexity.js";
import { finding, quoted, type Place } from "../findings/finding.js";
import type { RuleId } from "../findings/rules/index.js";
import {
  collectDefinitions,
  docstringOf,
  parametersOf,
  type Definition,
} from "../structure/definitions.js";
import type { ParsedModule, SyntaxNode } from "../structure/types.js";
import type { Limit, Policy, RequiredSignature } from "./schema.js";

/** Sizes that are over a policy's limits. */
export function limitFindings(complexity: MeasuredComplexity, { limits }: Policy): Finding[] {
  const { module, functions, blocks } = complexity;
  const findings: Finding[] = [];
  const check = (
    rule: RuleId,
    limit: Limit,
    value: number,
    message: string,
    place: Place | null,
  ) => {
    if (limit.limit === null || value <= limit.limit) return;
    findings.push(
      finding(rule, `${message}, where the limit is ${limit.limit}`, place, {
        severity: limit.severity,
      }),
    );
  };
  check("complexity.lines", limits.max_lines, module.lines, `${module.lines} lines`, null);
  check(
    "complexity.functions",
    limits.max_functions,
    module.functions,
    `${module.functions} functions`,
    null,
  );
  let deepest = 0;
  for (const { definition, position, mccabe, cognitive, maxNesting } of functions) {
    const name = `\`${quoted(definition.qualifiedName)}\``;
    deepest = Math.max(deepest, maxNesting);
    check("complexity.mccabe", limits.max_mccabe, mccabe, `${name} has a complexity of ${mccabe}`, {
      start: position,
    });
    check(
      "complexity.cognitive",
      limits.max_cognitive,
      cognitive,
      `${name} has a cognitive complexity of ${cognitive}`,
      { start: position },
    );
    check(
      "complexity.nesting",
      limits.max_nesting,
      maxNesting,
      `${name} nests blocks ${maxNesting} deep`,
      { start: position },
    );
  }
  for (const { position, mccabe } of blocks) {
    check(
      "complexity.mccabe",
      limits.max_mccabe,
      mccabe,
      `this block has a complexity of ${mccabe}`,
      { start: position },
    );
  }
  if (module.max_nesting > deepest) {
    const message = `blocks outside of functions are nested ${module.max_nesting} deep`;
    check("complexity.nesting", limits.max_nesting, module.max_nesting, message, null);
  }
  return findings;
}

/** Functions and classes without the docstring that a policy asks for. */
export function docstringFindings(parsed: ParsedModule, { docstrings }: Policy): Finding[] {
  if (docstrings.required === "none") return [];
  const { functions, classes } = collectDefinitions(parsed);
  return [...functions, ...classes]
    .filter((definition) => docstrings.required === "all" || isPublic(definition))
    .filter(({ node }) => docstringOf(node) === null)
    .map(({ node, qualifiedName }) => {
      const kind = node.type === "class_definition" ? "class" : "function";
      const place = { start: parsed.position(node.startIndex) };
      const message = `the ${kind} \`${quoted(qualifiedName)}\` has no docstring`;
      return finding("docstring.missing", message, place, { severity: docstrings.severity });
    });
}

/** Whether others are meant to use it: neither it nor what it is in begins with an underscore or is a function. */
function isPublic({ name, scope }: Definition): boolean {
  for (let outer: Definition["scope"] | null = scope; outer; outer = outer.parent) {
    if (
      outer.kind === "function" ||
      outer.qualifiedName.split(".").some((part) => part.startsWith("_"))
    )
      return false;
  }
  return !name.startsWith("_");
}

/** Functions that a policy asks for and that are missing or different. */
export function signatureFindings(parsed: ParsedModule, { signatures }: Policy): Finding[] {
  if (signatures.length === 0) return [];
  const { functions } = collectDefinitions(parsed);
  return signatures.flatMap((required) => {
    // The last of several definitions is the one that stands.
    const found = functions.findLast(({ qualifiedName }) => qualifiedName === required.name);
    if (!found) {
      const message = `the policy asks for a function \`${quoted(required.name)}\``;
      return [finding("signature.missing", message, null, { severity: required.severity })];
    }
    return differences(parsed, found.node, required).map((difference) => {
      const place = { start: parsed.position(found.node.startIndex) };
      return finding("signature.mismatch", `\`${quoted(required.name)}\` ${difference}`, place, {
        severity: required.severity,
      });
    });
  });
}

const STARS: Readonly<Record<string, string>> = { var_positional: "*", var_keyword: "**" };

function differences(
  parsed: ParsedModule,
  node: SyntaxNode,
  required: RequiredSignature,
): string[] {
  const found: string[] = [];
  if (
    required.is_async !== undefined &&
    required.is_async !== (node.children[0]?.type === "async")
  ) {
    found.push(required.is_async ? "must be async" : "must not be async");
  }
  if (required.parameters) {
    const actual = parametersOf(parsed, node);
    const names = actual.map(({ kind, name }) => (STARS[kind] ?? "") + name);
    const wanted = required.parameters.map(({ name }) => name);
    if (names.join() !== wanted.join()) {
      found.push(
        `must have the parameters (${wanted.join(", ")}), but has (${quoted(names.join(", "))})`,
      );
    } else {
      for (const [i, { name, annotation }] of required.parameters.entries()) {
        const type = actual[i]?.annotation ?? null;
        if (annotation === undefined || sameSource(annotation, type)) continue;
        found.push(
          `must have ${name}: ${annotation}, but ${type === null ? "has no type for it" : `has ${quoted(type)}`}`,
        );
      }
    }
  }
  const returns = node.childForFieldName("return_type")?.text ?? null;
  if (required.returns !== undefined && !sameSource(required.returns, returns)) {
    found.push(
      `must return ${required.returns}, but ${returns === null ? "says nothing of it" : `returns ${quoted(returns)}`}`,
    );
  }
  return found;
}

/** Whether two expressions are the same but for white space and the kind of quotes. */
function sameSource(a: string, b: string | null): boolean {
  const plain = (text: string) => text.replace(/\s+/g, "").replaceAll("'", '"');
  return b !== null && plain(a) === plain(b);
}
