/** A variable without a default that is not set. */
export class MissingVariableError extends Error {
  constructor(readonly variable: string) {
    super(`${variable} is not set`);
  }
}

/**
 * Puts variables into a value as Compose does: `${NAME}`, `${NAME:-default}` and `${NAME:?message}`,
 * one inside another's default, too.
 *
 * @throws {@link MissingVariableError}
 */
export function interpolate(value: string, variables: Readonly<Record<string, string>>): string {
  let result = "";
  for (let at = 0; at < value.length;) {
    const start = value.indexOf("${", at);
    if (start === -1) return result + value.slice(at);
    const end = closingBrace(value, start + 2);
    result += value.slice(at, start) + expand(value.slice(start + 2, end), variables);
    at = end + 1;
  }
  return result;
}

function closingBrace(value: string, from: number): number {
  let depth = 1;
  for (let at = from; at < value.length; at++) {
    if (value.startsWith("${", at)) depth++;
    else if (value[at] === "}" && --depth === 0) return at;
  }
  throw new Error(`a brace is not closed in ${value}`);
}

function expand(expression: string, variables: Readonly<Record<string, string>>): string {
  const [, name = "", operator, rest = ""] = /^([A-Z_]+)(:-|:\?)?(.*)$/s.exec(expression) ?? [];
  if (name === "") throw new Error(`\${${expression}} is not understood`);
  const set = variables[name];
  if (set !== undefined && set !== "") return set;
  if (operator === ":-") return interpolate(rest, variables);
  throw new MissingVariableError(name);
}
