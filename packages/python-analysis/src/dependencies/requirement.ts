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

/** Why a requirement cannot be understood. */
export class RequirementError extends Error {
  override name = "RequirementError";
}

/** Longer ones are refused; real ones have less than a hundred characters. */
const LONGEST = 2000;

const NAME = /[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?![A-Za-z0-9._-])/y;
const OPERATOR = /===|~=|==|!=|<=|>=|<|>/y;
const ARBITRARY_VERSION = /[^\s,;)]+/y;
/** PEP 440, appendix B; `.*` is for `==` and `!=` only. */
const VERSION =
  /v?(?:\d+!)?\d+(?:\.\d+)*(?:(?:[-_.]?(?:alpha|beta|preview|pre|rc|a|b|c)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?)(?:\.\*)?(?![a-z0-9.*+!_-])/iy;
const URL_TEXT = /\S+/y;
const MARKER_OPERATOR = /===|~=|==|!=|<=|>=|<|>|in\b|not\s+in\b/y;
const MARKER_VARIABLE =
  /(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_release|platform_system|platform[._]version|platform[._]machine|platform[._]python_implementation|python_implementation|implementation_name|implementation_version|extras?|dependency_groups)\b/y;
const MARKER_STRING = /"[^"]*"|'[^']*'/y;

/** The canonical form of a distribution's or an extra's name (PEP 503). */
export function canonicalName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/**
 * Reads a PEP 508 requirement.
 *
 * @throws RequirementError saying what was expected where
 */
export function parseRequirement(raw: string): Requirement {
  if (raw.length > LONGEST) throw new RequirementError(`a requirement of ${raw.length} characters`);
  const scanner = new Scanner(raw.trim());
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
 * Reads the value of `requires-python`: version specifiers, without spaces.
 *
 * @throws RequirementError saying what was expected where
 */
export function parseVersionSpecifier(raw: string): string {
  const scanner = new Scanner(raw.trim());
  const specifier = readSpecifier(scanner);
  if (!scanner.atEnd()) throw scanner.error("a version such as `>=3.12`");
  return specifier;
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
  const specifiers: string[] = [];
  for (
    let operator = scanner.match(OPERATOR);
    operator !== undefined;
    operator = scanner.match(OPERATOR)
  ) {
    const version = scanner.expect(operator === "===" ? ARBITRARY_VERSION : VERSION, "a version");
    const reason = mismatch(operator, version);
    if (reason !== undefined)
      throw new RequirementError(
        `\`${operator}${version}\` in ${JSON.stringify(scanner.text)}: ${reason}`,
      );
    specifiers.push(operator + version);
    if (!scanner.take(",")) break;
  }
  if (isEnclosed && !scanner.take(")")) throw scanner.error("`)`");
  return specifiers.join(",");
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

/** `and` and `or` with comparisons between them; parentheses are kept as written, apart from space. */
function readMarker(scanner: Scanner): string {
  let marker = "";
  let depth = 0;
  for (;;) {
    while (scanner.take("(")) {
      marker += "(";
      depth++;
    }
    const left = readMarkerValue(scanner);
    const operator = scanner.expect(MARKER_OPERATOR, "a comparison").replace(/\s+/g, " ");
    marker += `${left} ${operator} ${readMarkerValue(scanner)}`;
    while (depth > 0 && scanner.take(")")) {
      marker += ")";
      depth--;
    }
    const connective = scanner.match(/(?:and|or)\b/y);
    if (connective === undefined) break;
    marker += ` ${connective} `;
  }
  if (depth > 0) throw scanner.error("`)`");
  return marker;
}

function readMarkerValue(scanner: Scanner): string {
  const variable = scanner.match(MARKER_VARIABLE);
  if (variable !== undefined) {
    const name = variable.replace(".", "_");
    return name === "python_implementation" ? "platform_python_implementation" : name;
  }
  const quoted = scanner.expect(MARKER_STRING, "a variable of the environment, or a string");
  const text = quoted.slice(1, -1);
  return text.includes('"') ? quoted : `"${text}"`;
}

class Scanner {
  #at = 0;

  constructor(readonly text: string) {}

  atEnd(): boolean {
    return this.match(/$/y) !== undefined;
  }

  /** Goes behind what a sticky pattern matches after spaces. */
  match(pattern: RegExp): string | undefined {
    while (this.text[this.#at] === " " || this.text[this.#at] === "\t") this.#at++;
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  take(token: string): boolean {
    if (this.match(/(?=\S)/y) === undefined || !this.text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  expect(pattern: RegExp, what: string): string {
    const found = this.match(pattern);
    if (found === undefined) throw this.error(what);
    return found;
  }

  error(expected: string): RequirementError {
    return new RequirementError(
      `expected ${expected} at character ${this.#at + 1} of ${JSON.stringify(this.text)}`,
    );
  }
}
