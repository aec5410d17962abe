import type { SyntaxNode } from "../../structure/types.js";
import {
  type Bytes,
  type Constant,
  type Text,
  UNKNOWN,
  type Unknown,
  type Value,
} from "./value.js";

/** The constant texts and bytes that an expression is found to be. */
export interface Folded {
  readonly options: readonly (Text | Bytes)[];
  /** Whether it is never anything else. */
  readonly isExact: boolean;
  /** Whether it may be something else by ways that do not show, as what `globals()["x"] = …` binds. */
  readonly isDoubtful: boolean;
  /** Whether it is, or may be, written so that readers do not see it. */
  readonly isHidden: boolean;
}

/** What is known of expressions before values flow. */
export interface Folding {
  of(node: SyntaxNode): Folded | undefined;
}

const MOST_OPTIONS = 64;

const INEXACT = 1;
const HIDDEN = 2;
const DOUBTFUL = 4;
const KNOWN = 8;

/** Remembers what expressions were. */
export class FoldingRecord implements Folding {
  readonly #options = new Map<SyntaxNode, (Text | Bytes)[]>();
  /** By the index of a node. */
  readonly #marks: Uint8Array;

  /** @param size - how many nodes there are in all */
  constructor(size: number) {
    this.#marks = new Uint8Array(size);
  }

  add(node: SyntaxNode, value: Value): void {
    if (value.type !== "choice") return this.#addOption(node, value);
    for (const option of value.options) this.#addOption(node, option);
  }

  #addOption(node: SyntaxNode, option: Constant | Unknown): void {
    if (option === UNKNOWN) return this.#mark(node, INEXACT);
    if ("hidden" in option && option.hidden) this.#mark(node, HIDDEN);
    if (option.type !== "str" && option.type !== "bytes") return this.#mark(node, INEXACT);
    let options = this.#options.get(node);
    if (!options) {
      this.#options.set(node, (options = []));
      this.#mark(node, KNOWN);
    }
    for (const { type, text } of options) if (type === option.type && text === option.text) return;
    if (options.length >= MOST_OPTIONS) this.#mark(node, INEXACT);
    // An array of bytes may change later.
    else options.push(option.type === "bytes" ? { ...option } : option);
  }

  doubt(node: SyntaxNode): void {
    this.#mark(node, DOUBTFUL);
  }

  of(node: SyntaxNode): Folded | undefined {
    const marks = this.#marks[node.index]!;
    if ((marks & (KNOWN | HIDDEN)) === 0) return undefined;
    const isKnown = (marks & KNOWN) !== 0;
    return {
      options: isKnown ? this.#options.get(node)! : [],
      isExact: isKnown && (marks & INEXACT) === 0,
      isDoubtful: (marks & DOUBTFUL) !== 0,
      isHidden: (marks & HIDDEN) !== 0,
    };
  }

  #mark(node: SyntaxNode, mark: number): void {
    this.#marks[node.index]! |= mark;
  }
}
