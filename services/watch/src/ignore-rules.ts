import { dirname } from "node:path";
import ignore, { type Ignore } from "ignore";
import { codeOf, readWithin } from "./read-within.js";
import { OWN_FILES } from "./report.js";

export const PATTERNS_FILE = ".sluiceignore";
const MAX_PATTERNS_BYTES = 65_536;
/** Of all folders together, each of which has those of the folders above it as well. */
const MAX_PATTERNS = 200_000;
/** More wildcards in one pattern can take for ever to be compared with a long name. */
const MAX_WILDCARDS = 3;
/** After so many paths a matcher is made anew, since it remembers each. */
const MAX_REMEMBERED = 10_000;

const EVERYTHING: readonly string[] = ["*"];

/** A `.sluiceignore` that is not followed. */
export class PatternsError extends Error {
  override readonly name = "PatternsError";
}

/**
 * What is left alone, by the patterns of `.gitignore` (gitignore(5)): a `.sluiceignore` holds for its folder and what is below, the last
 * pattern that matches decides, those of deeper folders come last, and nothing comes back whose folder is ignored. Patterns and
 * names are compared in Unicode's NFC, and upper and lower case differ.
 */
export class IgnoreRules {
  /** Of the folders that have patterns of their own, and of the directory itself. */
  readonly #matchers = new Map<string, Matcher>();
  #patterns = 0;

  private constructor(private readonly root: string) {}

  /**
   * @param patterns - of the settings, which come before those of all files
   * @throws {@link PatternsError} where those of the directory itself cannot be read
   */
  static async read(root: string, patterns: readonly string[]): Promise<IgnoreRules> {
    const rules = new IgnoreRules(root);
    rules.#matchers.set("", new Matcher([...patterns.map(toNFC), ...OWN_FILES]));
    await rules.enter("");
    return rules;
  }

  /**
   * Reads the patterns of a folder.
   *
   * @throws {@link PatternsError} where they cannot be read, since without them files would be uploaded that nobody wants to be
   */
  async enter(folder: string): Promise<void> {
    let own: readonly string[];
    try {
      own = await this.#readOwn(folder);
    } catch (error) {
      this.#matchers.set(folder, new Matcher(EVERYTHING));
      throw error;
    }
    if (own.length === 0) {
      if (folder !== "") this.#matchers.delete(folder);
      return;
    }
    const above = folder === "" ? this.#at("") : this.#at(parentOf(folder));
    const patterns = [...above.patterns, ...own, ...OWN_FILES];
    this.#patterns += patterns.length;
    if (this.#patterns > MAX_PATTERNS) {
      this.#matchers.set(folder, new Matcher(EVERYTHING));
      throw new PatternsError(`There are more than ${MAX_PATTERNS} patterns in all folders.`);
    }
    this.#matchers.set(folder, new Matcher(patterns));
  }

  /** @param path - of a folder with a slash at its end */
  ignores(path: string): boolean {
    const name = path.endsWith("/") ? path.slice(0, -1) : path;
    return this.#at(parentOf(name)).ignores(toNFC(path));
  }

  #at(folder: string): Matcher {
    for (let each = folder; ; each = parentOf(each)) {
      const matcher = this.#matchers.get(each);
      if (matcher !== undefined) return matcher;
    }
  }

  async #readOwn(folder: string): Promise<readonly string[]> {
    const path = folder === "" ? PATTERNS_FILE : `${folder}/${PATTERNS_FILE}`;
    let text: string;
    try {
      text = (await readWithin(this.root, path, MAX_PATTERNS_BYTES)).toString();
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw new PatternsError(`${PATTERNS_FILE} cannot be read: ${codeOf(error)}`, {
        cause: error,
      });
    }
    const patterns = text.replace(/^\ufeff/, "").split(/\r?\n/);
    for (const pattern of patterns) {
      if ((pattern.match(/\*+/g)?.length ?? 0) > MAX_WILDCARDS) {
        throw new PatternsError(
          `${PATTERNS_FILE} has a pattern with more than ${MAX_WILDCARDS} wildcards: ${JSON.stringify(pattern.slice(0, 100))}`,
        );
      }
    }
    return patterns.flatMap((pattern) => anchor(toNFC(pattern), toNFC(folder)));
  }
}

/** Tells what a whole path is to a list of patterns. */
class Matcher {
  #ignore: Ignore;
  #asked = 0;

  constructor(readonly patterns: readonly string[]) {
    this.#ignore = create(patterns);
  }

  ignores(path: string): boolean {
    this.#asked += 1;
    if (this.#asked % MAX_REMEMBERED === 0) this.#ignore = create().add(this.#ignore);
    return this.#ignore.ignores(path);
  }
}

function create(patterns: readonly string[] = []): Ignore {
  return ignore({ ignorecase: false, allowRelativePaths: true }).add([...patterns]);
}

/** Writes a pattern of a folder as one of the whole directory. */
function anchor(pattern: string, folder: string): string[] {
  if (pattern.trim() === "" || pattern.startsWith("#")) return [];
  if (folder === "") return [pattern];
  const negated = pattern.startsWith("!");
  // What is special only at the beginning is so no more.
  const body = pattern.slice(negated ? 1 : 0).replace(/^\\([!#])/, "$1");
  const place = `/${folder.replace(/[\\*?[\]]/g, "\\$&")}/`;
  const isAnchored = /\/(?=.*\S)/.test(body);
  return [`${negated ? "!" : ""}${place}${isAnchored ? body.replace(/^\//, "") : `**/${body}`}`];
}

function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === "." ? "" : parent;
}

function toNFC(text: string): string {
  return text.normalize("NFC");
}
