/**
 * What a policy says of how a script must look: its size and complexity, its docstrings, the functions it must have.
 */
import type { Finding } from "@sluice/contracts";
import type {
  ComplexityFacts,
  DocstringFacts,
  Measure,
  Piece,
  SignatureFacts,
  SignaturesFacts,
} from "../facts/script-facts.js";
import { finding, quoted, type Place } from "../findings/finding.js";
import type { RuleId } from "../findings/rules/index.js";
import type { Limit, Policy, RequiredSignature } from "./schema.js";

interface LimitedMeasure {
  readonly measure: Measure;
  readonly rule: RuleId;
  readonly limit: (limits: Policy["limits"]) => Limit;
  readonly of: (piece: Piece) => number;
  readonly says: (name: string, value: number) => string;
  /** What is said of the pieces that no facts were kept of. */
  readonly saysOfRest: string;
}

const MEASURES: readonly LimitedMeasure[] = [
  {
    measure: "mccabe",
    rule: "complexity.mccabe",
    limit: (limits) => limits.max_mccabe,
    of: (piece) => piece[3],
    says: (name, value) => `${name} has a complexity of ${value}`,
    saysOfRest: "have a complexity",
  },
  {
    measure: "cognitive",
    rule: "complexity.cognitive",
    limit: (limits) => limits.max_cognitive,
    of: (piece) => piece[4],
    says: (name, value) => `${name} has a cognitive complexity of ${value}`,
    saysOfRest: "have a cognitive complexity",
  },
  {
    measure: "nesting",
    rule: "complexity.nesting",
    limit: (limits) => limits.max_nesting,
    of: (piece) => piece[5],
    says: (name, value) => `${name} nests blocks ${value} deep`,
    saysOfRest: "nest blocks",
  },
];

/** Sizes that are over a policy's limits. */
export function limitFindings(complexity: ComplexityFacts, { limits }: Policy): Finding[] {
  const { module, pieces } = complexity;
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
  const { lines, functions } = module;
  check("complexity.lines", limits.max_lines, lines, `${lines} lines`, null);
  check("complexity.functions", limits.max_functions, functions, `${functions} functions`, null);
  for (const { measure, rule, limit: limitOf, of, says, saysOfRest } of MEASURES) {
    const limit = limitOf(limits);
    for (const piece of pieces) {
      const [name, line, column] = piece;
      if (name === null && measure !== "mccabe") continue;
      const what = name === null ? "this block" : `\`${name}\``;
      check(rule, limit, of(piece), says(what, of(piece)), { start: { line, column } });
    }
    const rest = complexity.rest[measure].filter(([value]) => value > (limit.limit ?? Infinity));
    const count = rest.reduce((sum, [, each]) => sum + each, 0);
    const most = rest.at(-1)?.[0] ?? 0;
    check(rule, limit, most, `${count} more functions ${saysOfRest} of up to ${most}`, null);
  }
  const deepest = Math.max(
    complexity.rest.nesting.at(-1)?.[0] ?? 0,
    ...pieces.map(([, , , , , nesting]) => nesting),
  );
  if (module.max_nesting > deepest) {
    const message = `blocks outside of functions are nested ${module.max_nesting} deep`;
    check("complexity.nesting", limits.max_nesting, module.max_nesting, message, null);
  }
  return findings;
}

/** Functions and classes without the docstring that a policy asks for. */
export function docstringFindings(facts: DocstringFacts, { docstrings }: Policy): Finding[] {
  const { required, severity } = docstrings;
  if (required === "none") return [];
  const findings = facts.missing
    .filter(([, , , , access]) => required === "all" || access === "public")
    .map(([kind, name, line, column]) => {
      const message = `the ${kind} \`${name}\` has no docstring`;
      return finding("docstring.missing", message, { start: { line, column } }, { severity });
    });
  const omitted = facts.public_omitted + (required === "all" ? facts.others_omitted : 0);
  if (omitted > 0) {
    const message = `${omitted} more functions and classes have no docstring`;
    findings.push(finding("docstring.missing", message, null, { severity }));
  }
  return findings;
}

/** Functions that a policy asks for and that are missing or different. */
export function signatureFindings(facts: SignaturesFacts, { signatures }: Policy): Finding[] {
  return signatures.flatMap((required) => {
    const { severity } = required;
    const found = facts.functions.find(([name]) => name === required.name);
    if (!found) {
      const unseen = facts.omitted === 0 ? "" : ", and not all of the script's could be looked at";
      const message = `the policy asks for a function \`${quoted(required.name)}\`${unseen}`;
      return [finding("signature.missing", message, null, { severity })];
    }
    const [, line, column] = found;
    return differences(found, required).map((difference) => {
      const message = `\`${quoted(required.name)}\` ${difference}`;
      return finding("signature.mismatch", message, { start: { line, column } }, { severity });
    });
  });
}

function differences(actual: SignatureFacts, required: RequiredSignature): string[] {
  const [, , , keyword, declared, returns] = actual;
  const found: string[] = [];
  if (required.is_async !== undefined && required.is_async !== (keyword === "async def"))
    found.push(required.is_async ? "must be async" : "must not be async");
  if (required.parameters) {
    const parameters = declared.map(parameterOf);
    const names = parameters.map(({ name }) => name);
    const wanted = required.parameters.map(({ name }) => name);
    if (names.join() !== wanted.join()) {
      found.push(
        `must have the parameters (${wanted.join(", ")}), but has (${quoted(names.join(", "))})`,
      );
    } else {
      for (const [i, { name, annotation }] of required.parameters.entries()) {
        const type = parameters[i]?.annotation ?? null;
        if (annotation === undefined || sameSource(annotation, type)) continue;
        found.push(
          `must have ${name}: ${annotation}, but ${type === null ? "has no type for it" : `has ${quoted(type)}`}`,
        );
      }
    }
  }
  if (required.returns !== undefined && !sameSource(required.returns, returns)) {
    found.push(
      `must return ${required.returns}, but ${returns === null ? "says nothing of it" : `returns ${quoted(returns)}`}`,
    );
  }
  return found;
}

/** Takes `verbose: bool` apart. */
function parameterOf(text: string): { name: string; annotation: string | null } {
  const end = text.indexOf(": ");
  return end < 0
    ? { name: text, annotation: null }
    : { name: text.slice(0, end), annotation: text.slice(end + 2) };
}

/** Whether two expressions are the same but for white space and the kind of quotes. */
function sameSource(a: string, b: string | null): boolean {
  const plain = (text: string) => text.replace(/\s+/g, "").replaceAll("'", '"');
  return b !== null && plain(a) === plain(b);
}
