/** A place in the source: the line and the column count from 1, the column in Unicode code points. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * One node of the concrete syntax tree, in plain JavaScript: type and field names are those of tree-sitter-python's grammar.
 * Nodes are unique, so `===` compares them, and `parent` costs nothing.
 */
export interface SyntaxNode {
  /** A rule of the grammar such as `function_definition`, or for what is not {@link isNamed} the token itself, such as `def`. */
  readonly type: string;
  /** Its place in {@link ParsedModule.nodes}. */
  readonly index: number;
  /** `false` for keywords, operators and punctuation. */
  readonly isNamed: boolean;
  /** The field of the parent that this node fills, such as `parameters`. */
  readonly field: string | null;
  /** Offsets into {@link ParsedModule.text}, in UTF-16 units. */
  readonly startIndex: number;
  readonly endIndex: number;
  readonly parent: SyntaxNode | null;
  /** In order of place; comments and line continuations are among them. */
  readonly children: readonly SyntaxNode[];
  /** The source text, as written. */
  readonly text: string;
  readonly namedChildren: readonly SyntaxNode[];
  childForFieldName(field: string): SyntaxNode | null;
  childrenForFieldName(field: string): readonly SyntaxNode[];
}

/** A module read by tree-sitter. It holds no WebAssembly memory, so there is nothing to delete. */
export interface ParsedModule {
  /** As given to {@link parseModule}: decoded, without a byte order mark, every line ended by `\n`. */
  readonly text: string;
  readonly root: SyntaxNode;
  /** Whether tree-sitter met something it has no rule for: the tree then has `ERROR` nodes or made-up tokens. */
  readonly hasError: boolean;
  /** The position of an offset into {@link text}. */
  position(index: number): Position;
  /** Every node, parents before children, in order of place; so the root comes first. */
  readonly nodes: readonly SyntaxNode[];
}
