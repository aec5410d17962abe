import { createRequire } from "node:module";
import { Language, Parser } from "web-tree-sitter";
import { loadCharacterNames } from "./character-names.js";
import { type Cursor, startTreeSitter, type WithCursor } from "./cursor.js";
import { repair, withPlainNames } from "./repair.js";
import type { ParsedModule, Position, SyntaxNode } from "./types.js";

const NO_NODES: readonly SyntaxNode[] = [];

class Source implements ParsedModule {
  readonly text: string;
  readonly nodes: readonly SyntaxNode[];
  readonly hasError: boolean;
  #lineStarts: number[] | undefined;
  /** Where those characters are that take two units. */
  #pairs: number[] | undefined;

  constructor(text: string, nodes: readonly SyntaxNode[], hasError: boolean) {
    this.text = text;
    this.nodes = nodes;
    this.hasError = hasError;
  }

  get root(): SyntaxNode {
    return this.nodes[0]!;
  }

  position(index: number): Position {
    this.#lineStarts ??= lineStarts(this.text);
    this.#pairs ??= surrogatePairs(this.text);
    const line = countUpTo(this.#lineStarts, index);
    const start = this.#lineStarts[line - 1]!;
    const pairs = countUpTo(this.#pairs, index - 1) - countUpTo(this.#pairs, start - 1);
    return { line, column: index - start - pairs + 1 };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1))
    starts.push(end + 1);
  return starts;
}

function surrogatePairs(text: string): number[] {
  return Array.from(text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g), ({ index }) => index);
}

/** How many of some ascending numbers are at most `limit`. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Node implements SyntaxNode {
  children: readonly SyntaxNode[] = NO_NODES;
  readonly #source: string;
  #name: string | undefined;

  constructor(
    source: string,
    public index: number,
    readonly type: string,
    readonly isNamed: boolean,
    public field: string | null,
    public startIndex: number,
    public endIndex: number,
    public parent: Node | null,
  ) {
    this.#source = source;
  }

  get text(): string {
    if (this.type !== "identifier") return this.#source.slice(this.startIndex, this.endIndex);
    // Names are asked for again and again, to look them up.
    return (this.#name ??= this.#source.slice(this.startIndex, this.endIndex));
  }

  get namedChildren(): readonly SyntaxNode[] {
    return this.children.filter((child) => child.isNamed);
  }

  childForFieldName(field: string): SyntaxNode | null {
    for (const child of this.children) if (child.field === field) return child;
    return null;
  }

  childrenForFieldName(field: string): readonly SyntaxNode[] {
    return this.children.filter((child) => child.field === field);
  }
}

interface Grammar {
  parser: Parser;
  withCursor: WithCursor;
  types: readonly string[];
  named: readonly boolean[];
  fields: readonly (string | null)[];
}

let grammar: Promise<Grammar> | undefined;
let loadedGrammar: Grammar | undefined;

async function loadGrammar(): Promise<Grammar> {
  const withCursor = await startTreeSitter();
  const wasm = createRequire(import.meta.url).resolve("tree-sitter-python/tree-sitter-python.wasm");
  const language = await Language.load(wasm);
  const ids = Array.from({ length: language.nodeTypeCount }, (_, id) => id);
  return {
    parser: new Parser().setLanguage(language),
    withCursor,
    types: ids.map((id) => interned(language.nodeTypeForId(id) ?? "ERROR")),
    named: ids.map((id) => language.nodeTypeIsNamed(id)),
    fields: Array.from({ length: language.fieldCount + 1 }, (_, id) => {
      const name = language.fieldNameForId(id);
      return name === null ? null : interned(name);
    }),
  };
}

/** The same text, as the engine keeps keys and literals: it compares those by their address, and others letter by letter. */
function interned(text: string): string {
  return Object.keys({ [text]: null })[0]!;
}

/**
 * Reads Python source into a syntax tree. The source should be valid Python: tree-sitter reads on past errors, and says so in
 * {@link ParsedModule.hasError} only where it noticed.
 *
 * @param text - decoded source without a byte order mark, every line ended by `\n`
 * @throws Error from WebAssembly when memory runs out; the thread must then be thrown away with the module
 */
export async function parseModule(text: string): Promise<ParsedModule> {
  loadedGrammar = await (grammar ??= loadGrammar());
  if (text.includes("\\N{")) await loadCharacterNames();
  return read(text, loadedGrammar);
}

/**
 * The expression that a string annotation holds, or `null` if the text is not one expression.
 *
 * @param text - from a module that {@link parseModule} has read
 */
export function parseExpression(text: string): SyntaxNode | null {
  if (!loadedGrammar) throw new Error("no module has been parsed yet");
  // As CPython does, so that a line break inside does not end the expression.
  const { root, hasError } = read(`(${text}\n)`, loadedGrammar);
  const statement = root.namedChildren[0];
  if (hasError || root.namedChildren.length !== 1 || statement?.type !== "expression_statement")
    return null;
  return statement.namedChildren.find((child) => child.type !== "comment") ?? null;
}

/**
 * Reads code that is held in a string of a module.
 *
 * @param text - from a module that {@link parseModule} has read
 * @param first - the index that its first node gets, so that nodes of several texts can be told apart by it
 */
export function parseCode(text: string, first: number): ParsedModule {
  if (!loadedGrammar) throw new Error("no module has been parsed yet");
  const parsed = read(text, loadedGrammar);
  for (const node of parsed.nodes) (node as Node).index += first;
  return parsed;
}

function read(text: string, loaded: Grammar): ParsedModule {
  const readable = withPlainNames(text);
  const source = readTree(text, readable, loaded);
  if (!source.hasError) return source;
  const repaired = repair(readable);
  if (repaired === readable) return source;
  const again = readTree(text, repaired, loaded);
  return !again.hasError || countErrors(again) < countErrors(source) ? again : source;
}

/** @param readable - what the grammar gets to see of the text, at the same offsets */
function readTree(text: string, readable: string, loaded: Grammar): Source {
  const tree = loaded.parser.parse(readable);
  if (!tree) throw new Error("tree-sitter gave no tree");
  try {
    const hasError = tree.rootNode.hasError;
    const nodes = loaded.withCursor(tree, (cursor) => copy(cursor, text, loaded));
    return new Source(text, nodes, hasError);
  } finally {
    tree.delete();
  }
}

function countErrors(source: Source): number {
  let count = 0;
  for (const node of source.nodes) if (node.type === "ERROR") count++;
  return count;
}

/** Nodes whose parts nobody asks for: a string may be megabytes of escapes, each a node. */
const UNREAD: ReadonlySet<string> = new Set(["identifier", "string_content"]);

/**
 * Copies the tree out of WebAssembly in one linear walk: every later question is then answered without crossing over, and
 * without tree-sitter's costs that grow with depth.
 */
function copy(cursor: Cursor, text: string, { types, named, fields }: Grammar): SyntaxNode[] {
  const nodes: Node[] = [];
  const read = (parent: Node | null): Node => {
    const id = cursor.typeId;
    const node = new Node(
      text,
      nodes.length,
      types[id] ?? "ERROR",
      named[id] ?? true,
      fields[cursor.fieldId] ?? null,
      cursor.startIndex,
      cursor.endIndex,
      parent,
    );
    nodes.push(node);
    return node;
  };
  // The children of every node on the way from the root to here, whose `marks` say where each node's begin.
  const open: Node[] = [];
  const marks: number[] = [];
  let here = read(null);
  for (;;) {
    if (
      !UNREAD.has(here.type) &&
      (here.isNamed || here.type.includes(" ")) &&
      cursor.gotoFirstChild()
    ) {
      marks.push(open.length);
      here = read(here);
      open.push(here);
      continue;
    }
    for (;;) {
      if (here.parent === null) return nodes;
      if (cursor.gotoNextSibling()) {
        here = read(here.parent);
        open.push(here);
        break;
      }
      cursor.gotoParent();
      here = here.parent;
      const mark = marks.pop()!;
      here.children = withStarsOutside(here, open.slice(mark), nodes, text);
      open.length = mark;
    }
  }
}

const STAR = 0x2a;

/** What may begin with an operand of its own. */
const BEGINS_WITH_OPERAND: ReadonlySet<string> = new Set([
  "attribute",
  "binary_operator",
  "call",
  "subscript",
]);

/**
 * Mends that the grammar lets a star bind before what follows its operand: `[*a.b(c)]` unpacks what the call returns, and does not call
 * an unpacked `a`.
 */
function withStarsOutside(parent: Node, children: Node[], nodes: Node[], text: string): Node[] {
  for (let i = 0; i < children.length; i++) {
    const top = children[i]!;
    if (text.charCodeAt(top.startIndex) !== STAR || !BEGINS_WITH_OPERAND.has(top.type)) continue;
    // The outermost expression is mended with all that is in it.
    if (i === 0 && BEGINS_WITH_OPERAND.has(parent.type)) continue;
    const chain = [top];
    let first = top.children[0] as Node | undefined;
    while (first && BEGINS_WITH_OPERAND.has(first.type)) {
      chain.push(first);
      first = first.children[0] as Node | undefined;
    }
    if (first?.type === "list_splat") children[i] = unpackWhole(first, chain, nodes);
  }
  return children;
}

/** @param chain - from the outermost expression to that whose first operand the star wrongly is part of */
function unpackWhole(star: Node, chain: readonly Node[], nodes: Node[]): Node {
  const top = chain[0]!;
  const innermost = chain.at(-1)!;
  const operand = star.children.at(-1) as Node;
  innermost.children = [operand, ...innermost.children.slice(1)];
  star.children = [...star.children.slice(0, -1), top];
  star.parent = top.parent;
  star.endIndex = top.endIndex;
  [operand.field, star.field, top.field] = [star.field, top.field, null];
  operand.parent = innermost;
  top.parent = star;
  for (const node of chain) node.startIndex = operand.startIndex;
  // In order of place the star and its sign now come before the chain.
  const from = top.index;
  const moved = [...nodes.slice(star.index, operand.index), ...chain];
  for (const [i, node] of moved.entries()) {
    nodes[from + i] = node;
    node.index = from + i;
  }
  return star;
}
