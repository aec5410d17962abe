import { MAX_JSON_BYTES } from "@sluice/contracts";
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
} from "yaml";
import { PolicyError } from "./problems.js";

/** A place in a text; both count from 1. */
export interface Place {
  readonly line: number;
  /** In UTF-16 code units, as editors count. */
  readonly column: number;
}

/** What a document says, and where. */
export interface WrittenContent {
  /** As JSON would have it, whatever its shape. */
  readonly value: unknown;
  /** Of a value, or of the nearest thing around it that is there. */
  placeOf(path: readonly PropertyKey[]): Place | undefined;
  /** Of the key of a mapping's member. */
  placeOfKey(path: readonly PropertyKey[]): Place | undefined;
}

/**
 * Reads YAML or JSON: one document, of bounded size, with bounded use of aliases.
 *
 * @throws PolicyError where it is neither
 */
export function readContent(text: string): WrittenContent {
  if (Buffer.byteLength(text) > MAX_JSON_BYTES) {
    const message = `a policy may have ${MAX_JSON_BYTES} bytes at most`;
    throw new PolicyError([{ path: "", message }]);
  }
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new PolicyError(
      document.errors.map(({ code, pos, message }) => ({
        path: `line ${lines.linePos(pos[0]).line}`,
        message:
          code === "MULTIPLE_DOCS" ? "a second document begins; a policy is a single one" : message,
        ...placeAt(pos[0]),
      })),
    );
  }
  const find = (path: readonly PropertyKey[], wantsKey: boolean): Place | undefined => {
    const offset = offsetOf(document, path, wantsKey);
    return offset === undefined ? undefined : placeAt(offset);
  };
  return {
    value: toValue(document),
    placeOf: (path) => find(path, false),
    placeOfKey: (path) => find(path, true),
  };
}

function toValue(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw new PolicyError([
      { path: "", message: error instanceof Error ? error.message : String(error) },
    ]);
  }
}

/** Goes as far along the path as there is something. */
function offsetOf(
  document: Document.Parsed,
  path: readonly PropertyKey[],
  wantsKey: boolean,
): number | undefined {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => keyText(key) === String(step));
      if (pair === undefined) return offset;
      const key = startOf(pair.key);
      if (wantsKey && index === path.length - 1) return key ?? offset;
      node = pair.value;
      // A key with nothing behind it.
      offset = (isScalar(node) && node.source === "" ? undefined : startOf(node)) ?? key ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function keyText(key: unknown): string | undefined {
  return isScalar(key) ? String(key.value) : undefined;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
