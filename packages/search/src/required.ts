/**
 * What a text must contain for a regular expression of RE2's syntax to match in it, as far as can be said without much thought:
 * alternatives, each of texts that must all be there, case aside. Where nothing can be said, every text is a candidate.
 */

/** Texts that must all be there. */
type Texts = readonly string[];
/** One of these; `undefined` where nothing has to be there. */
type Alternatives = readonly Texts[] | undefined;

const MAX_ALTERNATIVES = 8;
const MIN_LENGTH = 3;

/** @returns `undefined` where any text may match */
export function requiredTexts(expression: string): readonly Texts[] | undefined {
  let required: Alternatives;
  try {
    const reader = new Reader(expression);
    required = reader.alternation();
    if (!reader.atEnd) return undefined;
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
  return required;
}

class NotUnderstood extends Error {}

interface Piece {
  /** Exactly this text. */
  readonly literal?: string;
  readonly required: Alternatives;
}

const NOTHING: Piece = { required: undefined };

class Reader {
  #at = 0;
  readonly #characters: readonly string[];

  constructor(expression: string) {
    this.#characters = [...expression];
  }

  get atEnd(): boolean {
    return this.#at >= this.#characters.length;
  }

  alternation(): Alternatives {
    const alternatives: Texts[] = [];
    let isOpen = false;
    for (;;) {
      const required = this.#concatenation();
      if (required === undefined) isOpen = true;
      else alternatives.push(...required);
      if (this.#peek() !== "|") break;
      this.#at++;
    }
    return isOpen || alternatives.length > MAX_ALTERNATIVES ? undefined : alternatives;
  }

  #concatenation(): Alternatives {
    let all: Alternatives;
    let run = "";
    const endRun = (next = ""): void => {
      if (run.length >= MIN_LENGTH) all = both(all, [[run]]);
      run = next;
    };
    while (!this.atEnd && this.#peek() !== "|" && this.#peek() !== ")") {
      const piece = this.#piece();
      const times = this.#repetition();
      if (piece.literal === undefined || times === "optional") {
        endRun();
        if (times !== "optional") all = both(all, piece.required);
      } else {
        run += piece.literal;
        // What comes behind follows the last time.
        if (times === "repeated") endRun(piece.literal);
      }
    }
    endRun();
    return all;
  }

  #repetition(): "once" | "repeated" | "optional" {
    const character = this.#peek();
    let times: "once" | "repeated" | "optional" = "once";
    if (character === "*" || character === "?") times = "optional";
    else if (character === "+") times = "repeated";
    else if (character === "{") {
      const counted = /^\{(\d+)(,\d*)?\}/.exec(
        this.#characters.slice(this.#at, this.#at + 12).join(""),
      );
      // Else it is a brace like any other.
      if (counted === null) return "once";
      this.#at += counted[0].length;
      times = Number(counted[1]) === 0 ? "optional" : "repeated";
      if (this.#peek() === "?") this.#at++;
      return times;
    }
    if (times === "once") return "once";
    this.#at++;
    if (this.#peek() === "?") this.#at++;
    return times;
  }

  #piece(): Piece {
    const character = this.#next();
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        this.#skipClass();
        return NOTHING;
      case "\\":
        return this.#escape();
      case ".":
      case "^":
      case "$":
        return NOTHING;
      default:
        return { literal: character, required: undefined };
    }
  }

  #group(): Piece {
    if (this.#peek() === "?") {
      const head = /^\?(?:P?<[^>]*>|[a-zA-Z-]*[:)])/.exec(
        this.#characters.slice(this.#at, this.#at + 200).join(""),
      );
      if (head === null) throw new NotUnderstood();
      this.#at += [...head[0]].length;
      if (head[0].endsWith(")")) return NOTHING;
    }
    const required = this.alternation();
    if (this.#next() !== ")") throw new NotUnderstood();
    return { required };
  }

  #skipClass(): void {
    if (this.#peek() === "^") this.#at++;
    for (let isFirst = true; ; isFirst = false) {
      const character = this.#next();
      if (character === "]" && !isFirst) return;
      if (character === "\\") this.#next();
      else if (character === "[" && this.#peek() === ":") {
        const name = /^:\^?[a-z]+:\]/.exec(
          this.#characters.slice(this.#at, this.#at + 12).join(""),
        );
        if (name !== null) this.#at += name[0].length;
      }
    }
  }

  #escape(): Piece {
    const character = this.#next();
    if (character === "Q") return this.#quoted();
    if (character === "p" || character === "P") {
      if (this.#next() === "{") while (this.#next() !== "}");
      return NOTHING;
    }
    if (character === "x" && this.#peek() === "{") {
      while (this.#next() !== "}");
      return NOTHING;
    }
    if (character === "x") {
      this.#next();
      this.#next();
      return NOTHING;
    }
    if (/[0-9]/.test(character)) {
      while (/^[0-9]$/.test(this.#peek() ?? "")) this.#at++;
      return NOTHING;
    }
    if (/[A-Za-z]/.test(character)) return NOTHING;
    return { literal: character, required: undefined };
  }

  /** A repetition behind it counts for its last character only, which is nothing that must be known here. */
  #quoted(): Piece {
    let text = "";
    for (;;) {
      if (this.atEnd) break;
      const character = this.#next();
      if (character === "\\" && this.#peek() === "E") {
        this.#at++;
        break;
      }
      text += character;
    }
    const known = text.slice(0, -2);
    return { required: known.length >= MIN_LENGTH ? [[known]] : undefined };
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new NotUnderstood();
    return character;
  }
}

function both(a: Alternatives, b: Alternatives): Alternatives {
  if (a === undefined || b === undefined) return a ?? b;
  // Fewer alternatives say less, and are asked for faster.
  if (a.length * b.length > MAX_ALTERNATIVES) return a.length <= b.length ? a : b;
  return a.flatMap((texts) => b.map((others) => [...texts, ...others]));
}
