import { canonicalName } from "./canonical-name.js";
import type { Scanner } from "./requirement-scanner.js";

const OPERATOR = /===|~=|==|!=|<=|>=|<|>|in\b|not\s+in\b/y;
const VARIABLE =
  /(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_release|platform_system|platform[._]version|platform[._]machine|platform[._]python_implementation|python_implementation|implementation_name|implementation_version|extras?|dependency_groups)\b/y;
const STRING = /"[^"]*"|'[^']*'/y;

/** Comparisons and groups of them, with `and` or `or` between. */
type Group = (string | Group)[];

/**
 * Reads the marker of a PEP 508 requirement.
 *
 * @returns it in one spelling: that of the package `packaging`, which leaves out parentheses that say nothing
 * @throws RequirementError saying what was expected where
 */
export function readMarker(scanner: Scanner): string {
  const outermost: Group = [];
  const open: Group[] = [outermost];
  for (;;) {
    while (scanner.take("(")) {
      const inner: Group = [];
      open.at(-1)!.push(inner);
      open.push(inner);
    }
    open.at(-1)!.push(readComparison(scanner));
    while (open.length > 1 && scanner.take(")")) open.pop();
    const connective = scanner.match(/(?:and|or)\b/y);
    if (connective === undefined) break;
    open.at(-1)!.push(connective);
  }
  if (open.length > 1) throw scanner.error("`)`");
  return written(outermost, true);
}

function written(part: string | Group, isOutermost: boolean): string {
  if (typeof part === "string") return part;
  const [only, more] = part;
  if (only !== undefined && more === undefined) return written(only, isOutermost);
  const text = part.map((each) => written(each, false)).join(" ");
  return isOutermost ? text : `(${text})`;
}

/** Variables that hold names of extras or groups, which are compared in canonical form. */
const NAMES: ReadonlySet<string> = new Set(["extra", "extras", "dependency_groups"]);

function readComparison(scanner: Scanner): string {
  const left = readValue(scanner);
  const operator = scanner.expect(OPERATOR, "a comparison").replace(/\s+/g, " ");
  const right = readValue(scanner);
  if (left === "extra") return `${left} ${operator} ${withCanonicalName(right)}`;
  return `${NAMES.has(right) ? withCanonicalName(left) : left} ${operator} ${right}`;
}

function withCanonicalName(value: string): string {
  return value.startsWith('"') || value.startsWith("'") ? canonicalName(value) : value;
}

function readValue(scanner: Scanner): string {
  const variable = scanner.match(VARIABLE);
  if (variable !== undefined) {
    const name = variable.replace(".", "_");
    return name === "python_implementation" ? "platform_python_implementation" : name;
  }
  const quoted = scanner.expect(STRING, "a variable of the environment, or a string");
  const text = quoted.slice(1, -1);
  return text.includes('"') ? quoted : `"${text}"`;
}
