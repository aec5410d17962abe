import type { SyntaxNode } from "../../structure/types.js";
import { type Bytes, optionsOf, type Text, type Value } from "./value.js";

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

/** Remembers what expressions were. */
export class FoldingRecord implements Folding {
  readonly #options = new Map<SyntaxNode, (Text | Bytes)[]>();
  readonly #inexact = new Set<SyntaxNode>();
  readonly #hidden = new Set<SyntaxNode>();
  readonly #doubtful = new Set<SyntaxNode>();

  add(node: SyntaxNode, value: Value): void {
    for (const option of optionsOf(value)) {
      if ("hidden" in option && option.hidden) this.#hidden.add(node);
      if (option.type !== "str" && option.type !== "bytes") {
        this.#inexact.add(node);
        continue;
      }
      let options = this.#options.get(node);
      if (!options) this.#options.set(node, (options = []));
      if (options.some(({ type, text }) => type === option.type && text === option.text)) continue;
      if (options.length >= MOST_OPTIONS) this.#inexact.add(node);
      // An array of bytes may change later.
      else options.push(option.type === "bytes" ? { ...option } : option);
    }
  }

  doubt(node: SyntaxNode): void {
    this.#doubtful.add(node);
  }

  of(node: SyntaxNode): Folded | undefined {
    const options = this.#options.get(node);
    const isHidden = this.#hidden.has(node);
    if (!options && !isHidden) return undefined;
    return {
      options: options ?? [],
      isExact: options !== undefined && !this.#inexact.has(node),
      isDoubtful: this.#doubtful.has(node),
      isHidden,
    };
  }
}
