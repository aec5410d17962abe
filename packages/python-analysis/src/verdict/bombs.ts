/**
 * Sources that are sure to run into a limit, told from one linear look.
 *
 * CPython itself stops most bombs at once, if its thread has stack enough: brackets nested over 200 deep, indentation over 100,
 * and whatever recurses too deeply in its parser or compiler. What is left costs memory by the token, or time by the square of
 * its f-strings. This is an estimate with the benefit of the doubt: it must never refuse a script that somebody wrote, and what
 * it lets pass ends by the limits.
 */

/** What one thread may spend on one script. */
export interface Budget {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
}

export interface Bomb {
  readonly killed: "timeout" | "memory";
  readonly message: string;
}

/** CPython 3.14 needs 270 to 650 bytes a token for all that people write (in WebAssembly, from tokens to code object). */
const BYTES_PER_TOKEN = 250;
/**
 * Its tokenizer copies the rest of the source at each replacement field of an f-string (`_PyLexer_update_ftstring_expr`): 0.6
 * GB/s was measured in WebAssembly on a slow machine.
 */
const COPIED_BYTES_PER_MS = 2_000_000;

/**
 * @param source - bytes of any encoding that {@link decodeSource} accepts
 * @returns the reason why it cannot be judged within the budget, or `undefined` where it may well be
 */
export function findBomb(source: Uint8Array, budget: Budget): Bomb | undefined {
  const maxTokens = Math.floor(budget.memoryBytes / BYTES_PER_TOKEN);
  const maxCopied = budget.timeoutMs * COPIED_BYTES_PER_MS;
  // A token has a byte at least, a replacement field three. Nearly every script is settled here.
  if (source.length <= maxTokens && (source.length * source.length) / 6 <= maxCopied)
    return undefined;

  const { tokens, copied } = estimate(source);
  if (tokens > maxTokens) {
    return {
      killed: "memory",
      message: `about ${tokens} tokens, where at most ${maxTokens} can be judged within the memory limit`,
    };
  }
  if (copied > maxCopied) {
    return {
      killed: "timeout",
      message:
        "more f-string replacement fields than can be judged within the time limit in a file of this size",
    };
  }
  return undefined;
}

const enum Kind {
  Space,
  LineEnd,
  Word,
  Quote,
  Hash,
  Backslash,
  Open,
  Close,
  Operator,
}

const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (character === "\n" || character === "\r") return Kind.LineEnd;
  if (byte <= 0x20) return Kind.Space;
  if (byte >= 0x80 || /[\w.]/.test(character)) return character === "." ? Kind.Operator : Kind.Word;
  if (character === '"' || character === "'") return Kind.Quote;
  if (character === "#") return Kind.Hash;
  if ("([{".includes(character)) return Kind.Open;
  if (")]}".includes(character)) return Kind.Close;
  return character === "\\" ? Kind.Backslash : Kind.Operator;
});

/** Past this CPython stops at once (`MAXLEVEL` of its tokenizer), and says so better than it could be said here. */
const MAX_NESTING = 200;

const OPEN_BRACE = 0x7b;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;
const DOUBLED = new Set(Buffer.from("*/<>"));

function estimate(source: Uint8Array): { tokens: number; copied: number } {
  let tokens = 0;
  let copied = 0;
  let at = 0;
  let lineHasToken = false;
  let nesting = 0;
  while (at < source.length) {
    const start = at;
    switch (KINDS[source[at]!]) {
      case Kind.Space:
        at++;
        continue;
      case Kind.Backslash:
        at += 2;
        continue;
      case Kind.LineEnd:
        at++;
        if (lineHasToken) tokens++;
        lineHasToken = false;
        continue;
      case Kind.Hash:
        while (at < source.length && KINDS[source[at]!] !== Kind.LineEnd) at++;
        continue;
      case Kind.Word:
        while (KINDS[source[at]!] === Kind.Word) at++;
        if (at - start > 2 || KINDS[source[at]!] !== Kind.Quote) break;
        at = skipString(source, at);
        if (isFormatPrefix(source[start]!) || isFormatPrefix(source[start + 1]!))
          copied += copiedBy(source, start, at);
        break;
      case Kind.Quote:
        at = skipString(source, at);
        break;
      case Kind.Open:
        at++;
        if (++nesting > MAX_NESTING) return { tokens: 0, copied: 0 };
        break;
      case Kind.Close:
        at++;
        nesting--;
        break;
      default:
        at++;
        // `==`, `+=`, `**`, `//`: one token, near enough.
        if (source[at] === EQUALS || (source[at] === source[start] && DOUBLED.has(source[start]!)))
          at++;
    }
    tokens++;
    lineHasToken = true;
  }
  return { tokens, copied };
}

/** @returns the index behind the string that begins at `from`; an unterminated one ends with its line */
function skipString(source: Uint8Array, from: number): number {
  const quote = source[from]!;
  const isTriple = source[from + 1] === quote && source[from + 2] === quote;
  let at = from + (isTriple ? 3 : 1);
  for (; at < source.length; at++) {
    const byte = source[at]!;
    if (byte === BACKSLASH) at++;
    else if (byte === quote) {
      if (!isTriple) return at + 1;
      if (source[at + 1] === quote && source[at + 2] === quote) return at + 3;
    } else if (!isTriple && KINDS[byte] === Kind.LineEnd) return at;
  }
  return at;
}

/** `f` or `t`, in either case. */
function isFormatPrefix(byte: number): boolean {
  const lower = byte | 0x20;
  return lower === 0x66 || lower === 0x74;
}

function copiedBy(source: Uint8Array, start: number, end: number): number {
  let copied = 0;
  for (let at = start; at < end; at++) {
    if (source[at] !== OPEN_BRACE) continue;
    if (source[at + 1] === OPEN_BRACE) at++;
    else copied += source.length - at;
  }
  return copied;
}
