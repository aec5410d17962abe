/**
 * What stands for a text or a name in the index: small numbers that a document has many of. A document that contains a text has all
 * the keys of that text; one that has them all may still not contain it, so that every candidate is looked at.
 *
 * PostgreSQL keeps them as `smallint[]` in a GIN index. Three neighbouring UTF-16 units of case-folded text, blanks and line ends
 * included, come to one key; a name to three, so that hardly any other name has the same.
 */
import { foldCase } from "./fold.js";

/** Documents of neighbouring numbers that can be asked for at once. */
export const SEGMENT_DOCUMENTS = 16_384;
const SEGMENTS = 16_384;
const LOWEST = -32_768;
const HASHES = 65_536 - SEGMENTS;
const LOWEST_HASH = LOWEST + SEGMENTS;

/** A kind of name that is found by the whole of it. */
export type TermField =
  | "function"
  | "class"
  | "tool"
  | "import"
  | "dependency"
  | "capability"
  | "namespace"
  | "below";

/** Of texts and names, each key once. */
export class KeySet {
  readonly #has = new Uint8Array(HASHES);

  /** @param folded - case-folded text of any length; what is shorter than three units has no key */
  addText(folded: string): void {
    let first = folded.charCodeAt(0);
    let second = folded.charCodeAt(1);
    for (let at = 2; at < folded.length; at++) {
      const third = folded.charCodeAt(at);
      this.#has[hashOfThree(first, second, third)] = 1;
      first = second;
      second = third;
    }
  }

  /** @param folded - the case-folded name */
  addTerm(field: TermField, folded: string): void {
    for (const hash of hashesOfTerm(`${field}:${folded}`)) this.#has[hash] = 1;
  }

  /** In ascending order. */
  toKeys(): number[] {
    const keys: number[] = [];
    for (let hash = 0; hash < HASHES; hash++)
      if (this.#has[hash] === 1) keys.push(hash + LOWEST_HASH);
    return keys;
  }
}

/** The keys that whatever contains the text has; none for a text of less than three UTF-16 units. */
export function keysOfText(text: string): number[] {
  const folded = foldCase(text);
  const keys = new Set<number>();
  for (let at = 2; at < folded.length; at++) {
    keys.add(
      hashOfThree(folded.charCodeAt(at - 2), folded.charCodeAt(at - 1), folded.charCodeAt(at)) +
        LOWEST_HASH,
    );
  }
  return [...keys];
}

/** The keys that whatever bears the name has. */
export function keysOfTerm(field: TermField, name: string): number[] {
  return hashesOfTerm(`${field}:${foldCase(name)}`).map((hash) => hash + LOWEST_HASH);
}

/** The key that every document of that segment has. */
export function keyOfSegment(segment: number): number {
  if (segment >= SEGMENTS) throw new Error("the search index has no more room for documents");
  return LOWEST + segment;
}

export function segmentOf(document: number): number {
  return Math.floor(document / SEGMENT_DOCUMENTS);
}

function hashOfThree(first: number, second: number, third: number): number {
  const hash = Math.imul(
    Math.imul(first, 0x01_00_00_03) ^ Math.imul(second, 0x85eb_ca6b) ^ third,
    0x9e37_79b1,
  );
  return ((hash ^ (hash >>> 15)) >>> 0) % HASHES;
}

/** FNV-1a from three different starts. */
function hashesOfTerm(term: string): number[] {
  return [0x811c_9dc5, 0x2f0b_4f21, 0x6a09_e667].map((start) => {
    let hash = start;
    for (let at = 0; at < term.length; at++)
      hash = Math.imul(hash ^ term.charCodeAt(at), 0x0100_0193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb_352d);
    return ((hash ^ (hash >>> 15)) >>> 0) % HASHES;
  });
}
