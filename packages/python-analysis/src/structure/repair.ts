/** `def f[`, `class A[` or `type X[`, up to the bracket. */
const TYPE_PARAMETERS = /(?<![\p{L}\p{N}_.])(?:def|class|type)[ \t]+[\p{L}\p{N}_]+[ \t]*$/u;
const LONGEST_HEAD = 300;

const CODE =
  /(?<![\p{L}\p{N}_])[rbuft]{1,2}(?:"""|'''|["'])|"""|'''|[=!<>:]=|["'#()[\]{}=,:]|\\\n|\n/giu;
const FORMATTED = /\{\{|\}\}|[{}]|\\N\{[^{}\n"']*\}|\\[\\'"\n]|"""|'''|["'\n]/g;

type Frame =
  | { kind: "bracket"; isTypeParameters: boolean; inDefault: boolean }
  /** An f- or t-string, whose text holds fields. */
  | { kind: "formatted"; quote: string; isRaw: boolean }
  /** `{…}` in such a string; after the colon its text holds fields, too. */
  | { kind: "field"; inFormat: boolean };

/** What makes tree-sitter-python 0.25 see a statement where there is but an expression. */
const STATEMENT_LIKE = /(^|[;:])([ \t]*)type(?=[ \t]*[([.,=])|\bprint(?=[ \t]*>>)/gm;

/**
 * Writes names otherwise that tree-sitter-python 0.25 takes for keywords, at the same offsets: `type(x).y = z` is no alias, and
 * `print >> x` is no statement of Python 2. The tree is the same but for that, wherever else this finds such names.
 */
export function withPlainNames(text: string): string {
  return text.replace(STATEMENT_LIKE, (_, before?: string, blanks?: string) =>
    before === undefined ? "prinT" : `${before}${blanks}typE`,
  );
}

const STAR = /(?:\s|\\\n|#.*)*\*/y;

/**
 * Rewrites what tree-sitter-python 0.25 cannot read although it is valid, at the same offsets: lines inside brackets are joined,
 * since it takes one that starts left of its block for the end of the block, and the default of a type parameter (PEP 696)
 * is made the next type parameter, with a comma for its `=` and without its star. Comments inside brackets go, too. The same
 * text if there is nothing to rewrite.
 */
export function repair(text: string): string {
  const blanks: [from: number, to: number][] = [];
  const commas = new Set<number>();
  const frames: Frame[] = [];
  let at = 0;
  while (at < text.length) {
    const frame = frames.at(-1);
    const inText = frame?.kind === "formatted" || (frame?.kind === "field" && frame.inFormat);
    const pattern = inText ? FORMATTED : CODE;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) break;
    const [token] = match;
    at = match.index + token.length;
    if (inText) at = readText(frame, token, at, frames);
    else if (/["']$/.test(token)) at = openString(text, token, at, frames);
    else readCode(token);
  }
  return rewritten(text, blanks, commas);

  function readCode(token: string): void {
    const start = at - token.length;
    const frame = frames.at(-1);
    if (token === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
      if (frame) blanks.push([start, at]);
    } else if (token.endsWith("\n")) {
      if (frame) blanks.push([start, at]);
    } else if ("([{".includes(token)) {
      const isTypeParameters = token === "[" && followsNewName(text, start);
      frames.push({ kind: "bracket", isTypeParameters, inDefault: false });
    } else if (token === ":") {
      if (frame?.kind === "field") frame.inFormat = true;
    } else if (token === ",") {
      if (frame?.kind === "bracket") frame.inDefault = false;
    } else if (token === "=") {
      if (frame?.kind === "bracket" && frame.isTypeParameters && !frame.inDefault) {
        frame.inDefault = true;
        commas.add(start);
        STAR.lastIndex = at;
        if (STAR.test(text)) blanks.push([STAR.lastIndex - 1, STAR.lastIndex]);
      }
    } else if (!token.endsWith("=")) frames.pop();
  }
}

function followsNewName(text: string, at: number): boolean {
  if (!/[\p{L}\p{N}_ \t]/u.test(text[at - 1] ?? "")) return false;
  return TYPE_PARAMETERS.test(text.slice(Math.max(0, at - LONGEST_HEAD), at));
}

/** Steps through the text of an f-string, or of the format of one of its fields. */
function readText(frame: Frame, token: string, at: number, frames: Frame[]): number {
  if (frame.kind === "formatted") {
    const isName = token.startsWith("\\N");
    if (token === "{" || (isName && frame.isRaw)) {
      frames.push({ kind: "field", inFormat: false });
      return isName ? at - token.length + "\\N{".length : at;
    }
    if (token === frame.quote || (token === "\n" && frame.quote.length === 1)) frames.pop();
    else if (token.startsWith(frame.quote) && token.length > 1) {
      frames.pop();
      return at - token.length + frame.quote.length;
    }
  } else if (token === "{") {
    frames.push({ kind: "field", inFormat: false });
  } else if (token.startsWith("}")) {
    frames.pop();
    return at - token.length + 1;
  }
  return at;
}

/** Where to go on after a string's opening quote: behind the string, or in it if it holds fields. */
function openString(text: string, token: string, at: number, frames: Frame[]): number {
  const quote = /(?:"""|'''|["'])$/.exec(token)![0];
  const prefix = token.slice(0, -quote.length).toLowerCase();
  if (/[ft]/.test(prefix)) {
    frames.push({ kind: "formatted", quote, isRaw: prefix.includes("r") });
    return at;
  }
  const end =
    quote.length === 1
      ? new RegExp(`\\\\[^]|[${quote}\\n]`, "g")
      : new RegExp(`\\\\[^]|${quote}`, "g");
  end.lastIndex = at;
  for (let match = end.exec(text); match; match = end.exec(text))
    if (!match[0].startsWith("\\")) return end.lastIndex;
  return text.length;
}

function rewritten(
  text: string,
  blanks: readonly [number, number][],
  commas: ReadonlySet<number>,
): string {
  const edits = [...blanks, ...[...commas].map((at): [number, number] => [at, at + 1])];
  let written = "";
  let done = 0;
  for (const [from, to] of edits.toSorted(([a], [b]) => a - b)) {
    written += text.slice(done, from) + (commas.has(from) ? "," : " ".repeat(to - from));
    done = to;
  }
  return written + text.slice(done);
}
