/**
 * The language of `q`: free text, which is one pattern with its blanks, and terms `field:value` between blanks.
 *
 *     import requests state:ready -function:main* namespace:"team/my jobs"
 *
 * What stands in quotes at the start of a word is text or a value as it is, with `\"` for a quote and `\\` for a backslash. A
 * minus before a field or a quote means that it must not be so. All of it must hold.
 */
import { VERDICTS, VERSION_STATES } from "@sluice/pipeline";

/** Fields of the script or of its newest version. */
export const SCRIPT_FIELDS = ["name", "namespace", "tag", "state", "verdict"] as const;
/** Fields of what is in its bytes. */
export const CONTENT_FIELDS = [
  "function",
  "class",
  "tool",
  "import",
  "dependency",
  "capability",
  "docstring",
] as const;
export const SEARCH_FIELDS = [...SCRIPT_FIELDS, ...CONTENT_FIELDS] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];

export interface FieldTerm {
  readonly field: SearchField;
  readonly value: string;
  readonly negated: boolean;
}

export interface TextTerm {
  readonly text: string;
  readonly negated: boolean;
  /** Where it begins in `q`, in UTF-16 units. */
  readonly at: number;
}

export interface ParsedQuery {
  readonly texts: readonly TextTerm[];
  readonly fields: readonly FieldTerm[];
}

/** Terms that one query may have. */
const MAX_TERMS = 20;

/** Why a query is none. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

/** @throws {@link QueryError} with the rest of a sentence about `q` */
export function parseQuery(q: string): ParsedQuery {
  const texts: TextTerm[] = [];
  const fields: FieldTerm[] = [];
  let run: { text: string; at: number } | undefined;
  const endRun = (): void => {
    if (run === undefined) return;
    const text = run.text.trimEnd();
    if (text !== "") texts.push({ text, negated: false, at: run.at });
    run = undefined;
  };

  let at = 0;
  while (at < q.length) {
    if (/\s/.test(q[at]!)) {
      if (run !== undefined) run.text += q[at];
      at++;
      continue;
    }
    const rest = q.slice(at);
    const named = /^(-?)([a-z_]+):(?=\S)/.exec(rest);
    const quoted = readQuoted(rest.startsWith("-") ? rest.slice(1) : rest);
    if (named !== null && !isText(named[2]!, rest)) {
      endRun();
      const head = named[0].length;
      const value = readQuoted(rest.slice(head)) ?? readBare(rest.slice(head));
      fields.push(fieldTerm(named[2]!, value.text, named[1] === "-"));
      at += head + value.length;
    } else if (quoted !== undefined) {
      endRun();
      const negated = rest.startsWith("-");
      if (quoted.text === "") throw new QueryError("has an empty text between quotes");
      texts.push({ text: quoted.text, negated, at: at + (negated ? 2 : 1) });
      at += quoted.length + (negated ? 1 : 0);
    } else {
      const { text } = readBare(rest);
      if (run === undefined) run = { text: "", at };
      run.text += text;
      at += text.length;
    }
  }
  endRun();
  if (texts.length + fields.length === 0) throw new QueryError("says nothing to search for");
  if (texts.length + fields.length > MAX_TERMS)
    throw new QueryError(`has more than ${MAX_TERMS} terms`);
  return { texts: texts.map(withLineFeeds), fields };
}

/** An address is text, not a field of that name. */
function isText(name: string, rest: string): boolean {
  return rest.slice(name.length).startsWith("://");
}

function readBare(text: string): { text: string; length: number } {
  const bare = /^\S+/.exec(text)![0];
  return { text: bare, length: bare.length };
}

/** `undefined` where there is no quote, or none that ends at a blank: then it is text like any other. */
function readQuoted(text: string): { text: string; length: number } | undefined {
  const quoted = /^"((?:[^"\\]|\\[\s\S])*)"(?=\s|$)/.exec(text);
  if (quoted === null) return undefined;
  return { text: quoted[1]!.replaceAll(/\\(["\\])/g, "$1"), length: quoted[0].length };
}

function fieldTerm(name: string, value: string, negated: boolean): FieldTerm {
  const field = SEARCH_FIELDS.find((known) => known === name);
  if (field === undefined) {
    throw new QueryError(
      `has no field \`${name}\`: there are ${SEARCH_FIELDS.join(", ")}; put text with a colon into quotes`,
    );
  }
  if (value === "") throw new QueryError(`has no value for the field \`${name}\``);
  const allowed = field === "state" ? VERSION_STATES : field === "verdict" ? VERDICTS : undefined;
  if (allowed !== undefined && !(allowed as readonly string[]).includes(value))
    throw new QueryError(`has a wrong \`${field}\`: it must be one of ${allowed.join(", ")}`);
  return { field, value, negated };
}

/** Lines of what is searched end with `\n`. */
function withLineFeeds(term: TextTerm): TextTerm {
  return { ...term, text: term.text.replaceAll(/\r\n?/g, "\n") };
}
