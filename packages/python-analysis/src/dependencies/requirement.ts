import { canonicalName } from "./canonical-name.js";
import { readMarker } from "./marker.js";
import { RequirementError, Scanner } from "./requirement-scanner.js";

/** A dependency as PEP 508 writes it, taken apart. */
export interface Requirement {
  /** As it was written. */
  readonly raw: string;
  /** Canonical, as PEP 503 has it: in lower case, with single dashes. */
  readonly name: string;
  /** Canonical, each once. */
  readonly extras: readonly string[];
  /** Such as `>=2,<3`; empty for any version. */
  readonly specifier: string;
  readonly url: string | null;
  /** Such as `python_version < "3.12"`. */
  readonly marker: string | null;
  /** All of it in one spelling: `name[extra]>=2,<3; marker`. */
  readonly normalised: string;
}

/** Longer ones are refused; real ones have less than a hundred characters. */
const LONGEST = 2000;

const NAME = /[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?![A-Za-z0-9._-])/y;
const OPERATOR = /===|~=|==|!=|<=|>=|<|>/y;
const ARBITRARY_VERSION = /[^\s,;)]+/y;
/** PEP 440, appendix B; `.*` is for `==` and `!=` only, and for nothing but numbers before it. */
const VERSION =
  /v?(?:\d+!)?\d+(?:\.\d+)*(?:\.\*|(?:[-_.]?(?:alpha|beta|preview|pre|rc|a|b|c)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?)(?![a-z0-9.*+!_-])/iy;
const URL_TEXT = /\S+/y;

/**
 * Reads a PEP 508 requirement.
 *
 * @throws RequirementError saying what was expected where
 */
export function parseRequirement(raw: string): Requirement {
  if (raw.length > LONGEST) throw new RequirementError(`a requirement of ${raw.length} characters`);
  const scanner = new Scanner(raw);
  const name = canonicalName(scanner.expect(NAME, "the name of a distribution"));
  const extras = readExtras(scanner);
  const url = scanner.take("@") ? scanner.expect(URL_TEXT, "a URL") : null;
  const specifier = url === null ? readSpecifier(scanner) : "";
  const marker = scanner.take(";") ? readMarker(scanner) : null;
  if (!scanner.atEnd())
    throw scanner.error(marker === null ? "a version, `;` or the end" : "`and`, `or` or the end");
  const selected = `${name}${extras.length > 0 ? `[${extras.join(",")}]` : ""}${specifier}`;
  const located = url === null ? selected : `${selected} @ ${url} `;
  const normalised = marker === null ? located.trimEnd() : `${located}; ${marker}`;
  return { raw, name, extras, specifier, url, marker, normalised };
}

/**
 * Reads the value of `requires-python`: version specifiers, without spaces. As others do, empty ones are passed over.
 *
 * @throws RequirementError saying what was expected where
 */
export function parseVersionSpecifier(raw: string): string {
  const clauses = raw.split(",").map((clause) => clause.trim());
  return clauses
    .filter((clause) => clause !== "")
    .map((clause) => {
      const scanner = new Scanner(clause);
      const found = readClause(scanner);
      if (found === undefined || !scanner.atEnd())
        throw scanner.error("a version such as `>=3.12`");
      return found;
    })
    .join(",");
}

function readExtras(scanner: Scanner): string[] {
  const extras = new Set<string>();
  if (!scanner.take("[") || scanner.take("]")) return [];
  do extras.add(canonicalName(scanner.expect(NAME, "the name of an extra")));
  while (scanner.take(","));
  if (!scanner.take("]")) throw scanner.error("`]`");
  return [...extras];
}

function readSpecifier(scanner: Scanner): string {
  const isEnclosed = scanner.take("(");
  const clauses: string[] = [];
  for (let clause = readClause(scanner); clause !== undefined; clause = readClause(scanner)) {
    clauses.push(clause);
    if (!scanner.take(",")) break;
  }
  if (isEnclosed && !scanner.take(")")) throw scanner.error("`)`");
  return clauses.join(",");
}

/** An operator and a version; `undefined` without an operator. */
function readClause(scanner: Scanner): string | undefined {
  const operator = scanner.match(OPERATOR);
  if (operator === undefined) return undefined;
  const version = scanner.expect(operator === "===" ? ARBITRARY_VERSION : VERSION, "a version");
  const reason = mismatch(operator, version);
  if (reason === undefined) return operator + version;
  throw new RequirementError(
    `\`${operator}${version}\` in ${JSON.stringify(scanner.text)}: ${reason}`,
  );
}

/** Why an operator does not go with a version (PEP 440). */
function mismatch(operator: string, version: string): string | undefined {
  if (operator === "===" || operator === "==" || operator === "!=") return undefined;
  if (version.endsWith(".*")) return "only `==` and `!=` go with `.*`";
  if (version.includes("+")) return "only `==` and `!=` go with a local version";
  if (operator === "~=" && !/^v?(?:\d+!)?\d+\.\d/i.test(version))
    return "`~=` needs at least two numbers";
  return undefined;
}
