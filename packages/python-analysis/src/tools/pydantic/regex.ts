/**
 * Whether Rust's crate `regex` takes a pattern, which pydantic compiles patterns with: it knows no look-around and no
 * back-references, asks for escapes and braces that mean something, and has a limit on the size of what it compiles.
 *
 * @see https://docs.rs/regex/latest/regex/#syntax
 */
export function isRustRegex(pattern: string): boolean {
  try {
    new RustRegex(pattern).check();
    return true;
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

class Malformed extends Error {}

const GROUP_NAME = /^[\p{L}_][\p{L}\p{N}_.[\]]*$/u;
const FLAGS = /^(?!-?$)[imsUuxR]*(?:-[imsUuxR]+)?$/;
const POSIX_CLASS = /^\[:\^?\w+:\]/;
/** `\d`, `\n` and the like; in a class not those that stand for a place. */
const CLASS_ESCAPES = "dDsSwWafntrv";
const PLACES = "bBAz<>";

/** Bytes that the program of a pattern may have. */
const LARGEST = 10 * 2 ** 20;
/** Bytes that a class of Unicode's takes, as measured; of which kinds of characters, and of all others. */
const SIZES: Readonly<Record<string, number>> = {
  w: 50_050,
  W: 46_500,
  p: 42_800,
  P: 42_800,
  d: 5125,
  D: 12_750,
  s: 680,
  S: 1925,
  ".": 1000,
};
const NEGATED: Readonly<Record<string, string>> = {
  w: "W",
  d: "D",
  s: "S",
  W: "w",
  D: "d",
  S: "s",
};
const SIZE_OF_CHARACTER = 72;

/** Reads a pattern from left to right, keeping count of its groups. */
class RustRegex {
  #at = 0;
  readonly #names = new Set<string>();
  /** The sizes of the groups that are open, the pattern itself among them. */
  readonly #sizes: number[] = [0];
  /** The size of what a repetition repeats. */
  #last = 0;

  constructor(private readonly pattern: string) {}

  check(): void {
    let isRepeatable = false;
    while (this.#at < this.pattern.length) {
      const start = this.#at;
      const character = this.pattern[this.#at]!;
      switch (character) {
        case "(":
          this.#group();
          isRepeatable = false;
          break;
        case ")":
          if (this.#sizes.length === 1) throw new Malformed();
          this.#at++;
          this.#sized(this.#sizes.pop()!);
          isRepeatable = true;
          break;
        case "|":
          this.#at++;
          isRepeatable = false;
          break;
        case "*":
        case "+":
        case "?":
        case "{":
          if (!isRepeatable) throw new Malformed();
          if (character === "{") this.#count();
          else this.#at++;
          if (this.pattern[this.#at] === "?") this.#at++;
          break;
        case "[":
          this.#class();
          this.#sized(sizeOfClass(this.pattern.slice(start, this.#at)));
          isRepeatable = true;
          break;
        case "\\":
          this.#escape(false);
          this.#sized(SIZES[this.pattern[start + 1]!] ?? SIZE_OF_CHARACTER);
          isRepeatable = true;
          break;
        default:
          this.#at++;
          this.#sized(SIZES[character] ?? SIZE_OF_CHARACTER);
          isRepeatable = true;
      }
    }
    if (this.#sizes.length > 1 || this.#sizes[0]! > LARGEST) throw new Malformed();
  }

  #sized(size: number): void {
    this.#last = size;
    this.#sizes[this.#sizes.length - 1]! += size;
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    const sticky = new RegExp(pattern, pattern.flags.replace("y", "") + "y");
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.pattern);
    if (found) this.#at += found[0].length;
    return found;
  }

  #group(): void {
    if (!this.#take(/\(\?/)) {
      this.#at++;
      this.#sizes.push(0);
      return;
    }
    if (this.#take(/(?:[=!]|<[=!])/)) throw new Malformed();
    const name = this.#take(/P?<([^>]*)>/)?.[1];
    if (name !== undefined) {
      if (!GROUP_NAME.test(name) || this.#names.has(name)) throw new Malformed();
      this.#names.add(name);
      this.#sizes.push(0);
      return;
    }
    const flags = this.#take(/([^:)]*)([:)])/);
    if (!flags || (flags[1] === "" ? flags[2] === ")" : !FLAGS.test(flags[1]!)))
      throw new Malformed();
    if (flags[2] === ":") this.#sizes.push(0);
  }

  #count(): void {
    const found = this.#take(/\{\s*(\d{1,10})\s*(?:(,)\s*(\d{1,10})?\s*)?\}/);
    if (!found || (found[3] !== undefined && Number(found[3]) < Number(found[1])))
      throw new Malformed();
    const times = Number(found[3] ?? found[1]);
    this.#sizes[this.#sizes.length - 1]! += this.#last * Math.max(times - 1, 0);
    this.#last *= times;
  }

  /** @returns whether it stands for several characters, so cannot bound a range */
  #escape(inClass: boolean): boolean {
    if (!inClass && this.#take(/\\b\{(?:start|end|start-half|end-half)\}/)) return true;
    const hex = this.#take(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[xuU]\{([0-9a-fA-F]{1,8})\})/,
    );
    if (hex) {
      const code = parseInt(hex[1] ?? hex[2] ?? hex[3] ?? hex[4]!, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw new Malformed();
      return false;
    }
    if (this.#take(/\\[pP](?:\{[^}]+\}|\p{L})/u)) return true;
    const character = this.pattern[this.#at + 1];
    if (character === undefined) throw new Malformed();
    if (/[0-9A-Za-z<>]/.test(character)) {
      if (!CLASS_ESCAPES.includes(character) && (inClass || !PLACES.includes(character)))
        throw new Malformed();
    } else if (!/[\0-\x7f]/.test(character)) throw new Malformed();
    this.#at += 2;
    return /[dDsSwW]/.test(character);
  }

  /** A class in brackets, with those that are nested in it. */
  #class(): void {
    let depth = 0;
    do {
      if (this.#at >= this.pattern.length) throw new Malformed();
      const rest = this.pattern[this.#at]!;
      if (rest === "[") {
        if (depth > 0 && POSIX_CLASS.test(this.pattern.slice(this.#at, this.#at + 20)))
          this.#take(/\[:\^?\w+:\]/);
        else {
          depth++;
          this.#take(/\[\^?-*\]?/);
        }
      } else if (rest === "]") {
        depth--;
        this.#at++;
      } else if (!this.#take(/&&|--|~~/)) this.#range();
    } while (depth > 0);
  }

  #range(): void {
    const from = this.#bound();
    const next = this.pattern[this.#at + 1];
    if (this.pattern[this.#at] !== "-" || next === "]" || next === "-") return;
    this.#at++;
    const to = this.#bound();
    if (from === null || to === null || from > to) throw new Malformed();
  }

  /** A character of a class; `null` for what stands for several, infinity where which one is not read. */
  #bound(): number | null {
    const character = this.pattern.codePointAt(this.#at);
    if (character === undefined) throw new Malformed();
    if (character !== 0x5c) {
      this.#at += character > 0xffff ? 2 : 1;
      return character;
    }
    const start = this.#at + 1;
    if (this.#escape(true)) return null;
    const isPlain = this.#at === start + 1 && /[^0-9A-Za-z]/.test(this.pattern[start]!);
    return isPlain ? this.pattern.charCodeAt(start) : NaN;
  }
}

function sizeOfClass(text: string): number {
  const isNegated = text.startsWith("[^");
  const escapes = [...text.matchAll(/\\([wWdDsSpP])/g)].map(([, kind]) =>
    isNegated ? (NEGATED[kind!] ?? kind!) : kind!,
  );
  const sizes = escapes.map((kind) => SIZES[kind]!);
  return Math.max(isNegated ? SIZES["."]! : SIZE_OF_CHARACTER, ...sizes);
}
