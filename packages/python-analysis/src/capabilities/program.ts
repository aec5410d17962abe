import { parseCode } from "../structure/parse.js";
import type { ParsedModule, SyntaxNode } from "../structure/types.js";
import type { NestedCode } from "./folding/interpreter.js";
import { LONGEST_CODE } from "./values.js";

/** As for all such code of a script together. */
const MOST_CODE = 1_000_000;
const MOST_UNITS = 200;
/** Code in code in code … is not read any further. */
const DEEPEST = 5;

interface Unit extends NestedCode {
  readonly first: number;
  readonly depth: number;
  readonly parsed: ParsedModule;
}

/** A module, and the code in its constant strings with the calls that run it. */
export class Program {
  readonly main: ParsedModule;
  /** All nodes, those of the module first; the index of each is its place here. */
  readonly nodes: SyntaxNode[];
  readonly #units: Unit[] = [];
  readonly #byHost = new Map<SyntaxNode, Unit[]>();
  readonly #known = new Set<string>();
  #length: number;

  constructor(main: ParsedModule) {
    this.main = main;
    this.nodes = [...main.nodes];
    this.#length = main.text.length;
  }

  get root(): SyntaxNode {
    return this.main.root;
  }

  /** Of all code, in characters. */
  get length(): number {
    return this.#length;
  }

  get units(): readonly NestedCode[] {
    return this.#units;
  }

  codeRunBy(call: SyntaxNode): readonly NestedCode[] {
    return this.#byHost.get(call) ?? [];
  }

  /** The call whose code a node is in; `null` for those of the module itself. */
  hostOf(node: SyntaxNode): SyntaxNode | null {
    return this.#unitOf(node)?.host ?? null;
  }

  /** Where in the module something is shown: at the call that runs the code that it is in. */
  shownAt(node: SyntaxNode): SyntaxNode {
    let shown = node;
    for (let unit = this.#unitOf(shown); unit; unit = this.#unitOf(shown)) shown = unit.host;
    return shown;
  }

  /** The line of a node in the code that it is in. */
  lineOf(node: SyntaxNode): number {
    return (this.#unitOf(node)?.parsed ?? this.main).position(node.startIndex).line;
  }

  /**
   * Reads code that a call runs.
   *
   * @returns `false` for code that was read before, `null` for more than is read
   */
  add(host: SyntaxNode, text: string): boolean | null {
    const key = `${host.index} ${text}`;
    if (text.trim() === "" || this.#known.has(key)) return false;
    const depth = (this.#unitOf(host)?.depth ?? 0) + 1;
    const isTooMuch =
      text.length > LONGEST_CODE ||
      this.#length + text.length > this.main.text.length + MOST_CODE ||
      this.#units.length >= MOST_UNITS ||
      depth > DEEPEST ||
      text.includes("\0");
    if (isTooMuch) return null;
    this.#known.add(key);
    this.#length += text.length;
    const parsed = parseCode(text, this.nodes.length);
    const unit = { host, root: parsed.root, first: this.nodes.length, depth, parsed };
    for (const node of parsed.nodes) this.nodes.push(node);
    this.#units.push(unit);
    const others = this.#byHost.get(host);
    if (others) others.push(unit);
    else this.#byHost.set(host, [unit]);
    return true;
  }

  #unitOf(node: SyntaxNode): Unit | null {
    if (node.index < this.main.nodes.length) return null;
    let low = 0;
    let high = this.#units.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#units[middle]!.first <= node.index) low = middle + 1;
      else high = middle;
    }
    return this.#units[low - 1] ?? null;
  }
}
