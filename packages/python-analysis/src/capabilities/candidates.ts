import type { SyntaxNode } from "../structure/types.js";
import type { Evaluation } from "./evaluate.js";
import type { CapabilityMap, Grants } from "./map.js";
import { likelyMembers } from "./wild.js";

/** A member that a script may mean where it computes a name. */
export interface Candidate {
  readonly path: string;
  readonly grants: Grants;
  /** The string that names it; where any member does, the place itself. */
  readonly node: SyntaxNode | null;
}

/** Methods of text, containers and files say nothing of the object. */
const EVERYDAY = new Set(
  (
    "add append clear close copy count decode discard encode extend find flush format get index insert items join keys lower open " +
    "pop popitem read readline readlines remove replace reverse run seek setdefault sort split stat strip tell truncate update upper " +
    "values walk write writelines call connect load loads match name"
  ).split(" "),
);
const LONGEST_NAME = 64;
const MOST_NAMES = 2000;

/**
 * Where a member is taken by a name that cannot be told, the name is most likely somewhere in the script: the strings of the script
 * that are names of members of the module are the candidates. This names what may happen beside `unresolved`, never instead of it.
 */
export class Candidates {
  readonly #nodes: readonly SyntaxNode[];
  readonly #evaluation: Evaluation;
  readonly #map: CapabilityMap;
  #names: ReadonlyMap<string, SyntaxNode> | null = null;
  readonly #given = new Set<string | null>();

  constructor(nodes: readonly SyntaxNode[], evaluation: Evaluation, map: CapabilityMap) {
    this.#nodes = nodes;
    this.#evaluation = evaluation;
    this.#map = map;
  }

  /** The candidates for a member of a module, of any module for `null`; nothing when they were given before. */
  of(module: string | null): readonly Candidate[] {
    if (this.#given.has(module)) return [];
    this.#given.add(module);
    const found: Candidate[] = [];
    this.#names ??= this.#gather();
    for (const [name, node] of this.#names) {
      const paths = module === null ? likelyMembers(this.#map, name) : [`${module}.${name}`];
      for (const path of paths) {
        const grants = this.#map.member(path) ?? [];
        if (grants.length > 0) found.push({ path, grants, node });
      }
    }
    const others = module === null ? undefined : this.#map.member(`${module}.*`);
    if (others && others.length > 0)
      found.push({ path: `${module}.*`, grants: others, node: null });
    return found;
  }

  #gather(): ReadonlyMap<string, SyntaxNode> {
    const names = new Map<string, SyntaxNode>();
    for (const node of this.#nodes) {
      if (!node.isNamed) continue;
      if (node.type === "identifier") {
        const isTold = this.#evaluation.values(node.parent!).some(({ kind }) => kind === "path");
        const isAttribute =
          node.parent?.type === "attribute" && node.parent.children.at(-1) === node;
        if (isAttribute && !isTold && !EVERYDAY.has(node.text) && !names.has(node.text))
          names.set(node.text, node);
        continue;
      }
      for (const value of this.#evaluation.values(node)) {
        if (value.kind !== "string" || value.text.length > LONGEST_NAME) continue;
        for (const part of value.text.split(/[^\p{L}\p{N}_]+/u)) {
          if (part !== "" && !names.has(part)) names.set(part, node);
        }
      }
      if (names.size > MOST_NAMES) break;
    }
    return names;
  }
}
