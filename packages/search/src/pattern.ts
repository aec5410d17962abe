/** What is searched for in texts: substrings or regular expressions, whole words or not, case minded or not. */
import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";
import { foldCase } from "./fold.js";
import { keysOfText } from "./keys.js";
import { requiredTexts } from "./required.js";

export interface PatternOptions {
  /** RE2's syntax; `^` and `$` are the ends of lines, `.` is no line end. */
  readonly regex: boolean;
  /** Neither preceded nor followed by a letter, mark, digit or underscore. */
  readonly word: boolean;
  readonly caseSensitive: boolean;
}

/** Offsets in UTF-16 units. */
export interface Hit {
  readonly start: number;
  readonly end: number;
}

/** A text with its case-folded form, which is made once, when it is first needed. */
export class SearchedText {
  #folded: string | undefined;
  constructor(readonly text: string) {}
  get folded(): string {
    return (this.#folded ??= foldCase(this.text));
  }
}

/** Finds hits that do not overlap, from left to right. */
export type Find = (text: SearchedText) => Iterable<Hit>;

/** Why an expression is none. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
  /** @param fragment - the part of the expression that is wrong, as it stands there */
  constructor(
    readonly reason: string,
    readonly fragment: string,
  ) {
    super(`${reason}: ${fragment}`);
  }
}

/** @throws {@link ExpressionError} */
export function compilePattern(pattern: string, options: PatternOptions): Find {
  return options.regex ? expression(pattern, options) : substring(pattern, options);
}

function substring(pattern: string, { word, caseSensitive }: PatternOptions): Find {
  const wanted = caseSensitive ? pattern : foldCase(pattern);
  // Folds as `foldCase` does, and says sooner than that whether there is anything to find.
  const isThere = new RegExp(pattern.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`), "iu");
  return function* (searched) {
    if (!caseSensitive && !isThere.test(searched.text)) return;
    const text = caseSensitive ? searched.text : searched.folded;
    for (let start = text.indexOf(wanted); start >= 0;) {
      const end = start + wanted.length;
      const isHit =
        !splitsPair(text, start) && !splitsPair(text, end) && (!word || isWord(text, start, end));
      if (isHit) yield { start, end };
      start = text.indexOf(wanted, isHit ? Math.max(end, start + 1) : start + 1);
    }
  };
}

function expression(pattern: string, { word, caseSensitive }: PatternOptions): Find {
  const flags = RE2JS.MULTILINE | (caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE);
  // By itself first, so that what is wrong with it is told of it alone.
  const alone = compile(pattern, flags);
  if (!word) {
    return function* ({ text }) {
      const matcher = alone.matcher(text);
      for (let from = 0; from <= text.length && matcher.find(from);) {
        const [start, end] = [matcher.start(), matcher.end()];
        // Behind the end of the last line there is no other one.
        if (start < text.length || start === 0 || !text.endsWith("\n")) yield { start, end };
        from = end > start ? end : end + widthAt(text, end);
      }
    };
  }
  const first = compile(`(?:\\A|${NO_LETTER})(${pattern})(?:\\z|${NO_LETTER})`, flags);
  const others = compile(`${NO_LETTER}(${pattern})(?:\\z|${NO_LETTER})`, flags);
  return function* ({ text }) {
    let matcher = first.matcher(text);
    for (let from = 0; from <= text.length && matcher.find(from);) {
      const [start, end] = [matcher.start(1), matcher.end(1)];
      // No word has no characters.
      if (end > start) yield { start, end };
      // The last character of this one may be the one before the next.
      from = end > start ? end - widthBefore(text, end) : end;
      matcher = others.matcher(text);
    }
  };
}

/** What may stand on either side of a whole word, seen by the expression itself, so that one pass is enough. */
const NO_LETTER = String.raw`[^\pL\pM\pN_]`;

function compile(pattern: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) {
      // The engine writes its flags before the expression.
      const fragment = (error.input ?? "").replace(/^\(\?[a-z]+\)/, "");
      throw new ExpressionError(error.error, pattern.includes(fragment) ? fragment : pattern);
    }
    if (error instanceof RE2JSException) throw new ExpressionError(error.message, pattern);
    throw error;
  }
}

const WORD = /[\p{L}\p{M}\p{N}_]/u;

function isWord(text: string, start: number, end: number): boolean {
  return !WORD.test(characterBefore(text, start)) && !WORD.test(characterAt(text, end));
}

function characterAt(text: string, at: number): string {
  const point = text.codePointAt(at);
  return point === undefined ? "" : String.fromCodePoint(point);
}

function characterBefore(text: string, at: number): string {
  return at === 0 ? "" : characterAt(text, at - widthBefore(text, at));
}

function widthBefore(text: string, at: number): number {
  return splitsPair(text, at - 1) ? 2 : 1;
}

function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** Between the two halves of one code point. */
function splitsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

/**
 * The keys of documents in which a pattern can match: those of one of the alternatives.
 *
 * @returns `undefined` where it can match in any
 */
export function keysOfPattern(pattern: string, { regex }: PatternOptions): number[][] | undefined {
  const alternatives = regex ? requiredTexts(pattern) : [[pattern]];
  const keys = alternatives?.map((texts) => [...new Set(texts.flatMap(keysOfText))]);
  return keys?.some((some) => some.length === 0) ? undefined : keys;
}
