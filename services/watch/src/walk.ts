import { isUtf8 } from "node:buffer";
import { type BigIntStats } from "node:fs";
import { lstat, opendir, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { CaseTwins } from "./case-twins.js";
import { type IgnoreRules, PatternsError } from "./ignore-rules.js";
import type { OwnStores } from "./own-stores.js";
import { codeOf } from "./read-within.js";

export type Found =
  | { readonly kind: "file"; readonly path: string }
  | {
      readonly kind: "refused";
      readonly path: string;
      readonly code: string;
      readonly detail: string;
    };

/** Deeper folders are refused: no path of theirs is a namespace. */
const MAX_DEPTH = 64;
/** Entries that are read of a folder at once. */
const ENTRIES = 512;

export interface Walk {
  /** A real path; the walk fails where it cannot be read. */
  readonly root: string;
  readonly rules: IgnoreRules;
  /** Told of each folder before its entries are read. */
  readonly onFolder: (folder: string, stat: BigIntStats) => void;
  readonly own?: OwnStores | undefined;
  /** Gets every name that is not ignored. */
  readonly twins?: CaseTwins | undefined;
}

/**
 * Everything below a folder of a directory that is not ignored: files, and what can be none. Symbolic links are not followed.
 *
 * @param below - the folder; the directory itself where empty
 */
export async function* walk(
  each: Walk,
  below = "",
  depth = below === "" ? 0 : below.split("/").length,
): AsyncGenerator<Found> {
  const { root, rules } = each;
  const folder = join(root, below);
  const refuse = (path: string, code: string, detail: string): Found => ({
    kind: "refused",
    path,
    code,
    detail,
  });
  let entries;
  try {
    if ((await realpath(folder)) !== folder) {
      yield refuse(below, "symbolic_link", "A symbolic link is on the way to it.");
      return;
    }
    const stat = await lstat(folder, { bigint: true });
    if (below !== "" && each.own?.has(stat) === true) {
      yield refuse(below, "own_store", "Sluice keeps its own files there.");
      return;
    }
    each.onFolder(below, stat);
    if (below !== "") await rules.enter(below);
    entries = await opendir(folder, {
      encoding: "buffer" as BufferEncoding,
      bufferSize: ENTRIES,
    });
  } catch (error) {
    if (below === "") throw error;
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return;
    yield error instanceof PatternsError
      ? refuse(below, "unreadable", `The folder is left alone: ${error.message}.`)
      : refuse(below, "unreadable", `The folder cannot be read: ${code}.`);
    return;
  }
  const folders: string[] = [];
  each.twins?.enterFolder();
  for await (const entry of entries) {
    const bytes = entry.name as string | Buffer;
    const raw = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    const name = raw.toString();
    const path = below === "" ? name : `${below}/${name}`;
    if (rules.ignores(entry.isDirectory() ? `${path}/` : path)) continue;
    if (!isUtf8(raw)) {
      yield refuse(path, "malformed_name", "Its name is not UTF-8.");
      continue;
    }
    each.twins?.note(path);
    if (entry.isDirectory()) {
      if (depth < MAX_DEPTH) folders.push(path);
      else yield refuse(path, "too_deep", `It is more than ${MAX_DEPTH} folders deep.`);
    } else if (entry.isFile()) yield { kind: "file", path };
    else if (entry.isSymbolicLink())
      yield refuse(path, "symbolic_link", "Symbolic links are not followed.");
    else yield refuse(path, "not_a_file", "It is not a regular file.");
  }
  for (const path of folders) yield* walk(each, path, depth + 1);
}
