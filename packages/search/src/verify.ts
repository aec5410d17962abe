/** Says of one candidate whether a query holds for it, and where. */
import type { MatchPlace, SEARCH_PLACES } from "@sluice/contracts";
import type { DocumentFacts, Place, SearchDocument } from "./document.js";
import { ancestors, distributionOf } from "./document.js";
import { foldCase } from "./fold.js";
import { type Glob, parseGlob } from "./glob.js";
import { LineStarts, type Match, toMatches } from "./lines.js";
import {
  compilePattern,
  type Find,
  type Hit,
  type PatternOptions,
  SearchedText,
} from "./pattern.js";
import type { FieldTerm, ParsedQuery } from "./query.js";

export type SearchPlace = (typeof SEARCH_PLACES)[number];

/** Everything that decides what a script is found by. */
export interface SearchSpec extends ParsedQuery {
  readonly options: PatternOptions;
  /** Where free text is looked for; `undefined` for everywhere. */
  readonly places: readonly SearchPlace[] | undefined;
}

/**
 * How well a script fits: by its name, by a name that it defines, imports or depends on, by what it contains, or some of the texts
 * by its content while the leading one is in its name only. Scripts are given in this order.
 */
export const RANKS = ["name", "symbol", "content", "mixed"] as const;
export type Rank = (typeof RANKS)[number];

export interface Found {
  readonly rank: Rank;
  readonly matches: readonly Match[];
  /** All hits; counting ends at {@link MAX_COUNTED}. */
  readonly hits: number;
}

/** Lines shown of one script. */
const MAX_MATCHES = 20;
/** Hits that are counted in one script. */
export const MAX_COUNTED = 1_000;

/** Checks scripts of one document after another; what concerns the document alone is looked at once. */
export type Verify = (
  document: SearchDocument,
) => (script: { readonly filename: string }) => Found | undefined;

/** @throws `ExpressionError` */
export function compileSpec(spec: SearchSpec): Verify {
  const { options, places } = spec;
  const finds = spec.texts.map(({ text, negated }) => ({
    find: compilePattern(text, options),
    negated,
    symbol: options.regex ? undefined : foldedFor(options)(text),
  }));
  const fields = spec.fields.flatMap((term) => {
    const check = compileField(term, options.caseSensitive);
    return check === undefined ? [] : [{ ...check, negated: term.negated }];
  });
  const leading = leadingText(spec);
  const names = spec.fields
    .filter(({ field }) => field === "name")
    .map((term) => compileName(term, options.caseSensitive));
  const looksAt = (place: SearchPlace): boolean => places?.includes(place) ?? true;

  return (document) => {
    const seen = new SeenDocument(document);
    const content = finds.map(({ find }) => (looksAt("content") ? seen.inContent(find) : NONE));
    const docstrings = finds.map(({ find }, index) =>
      places?.includes("docstring") === true || (places === undefined && content[index]!.hits === 0)
        ? seen.inDocstrings(find)
        : NONE,
    );
    const others = finds.map(({ find }, index) =>
      places === undefined && content[index]!.hits + docstrings[index]!.hits === 0
        ? seen.inNames(find)
        : NONE,
    );
    const ofFields = fields.map(({ matches }) => matches(seen));
    const fieldsHold = fields.every(({ negated }, index) => ofFields[index]!.hits > 0 !== negated);
    const fold = foldedFor(options);
    const positive = finds.filter(({ negated }) => !negated);
    // Looked at only where all the rest holds, which is so for few candidates.
    const isSymbol = (): boolean =>
      positive.length === 1 &&
      places === undefined &&
      positive.every(({ symbol }) => symbol !== undefined && seen.symbols(fold).has(symbol));

    return ({ filename }) => {
      if (!fieldsHold) return undefined;
      if (names.some(({ test, negated }) => test(filename) === negated)) return undefined;
      const name = new SearchedText(filename);
      const inName = finds.map(({ find }) => (looksAt("name") ? hitsIn(find, name, "name") : NONE));
      const ofTexts = finds.map((_, index) => [
        inName[index]!,
        content[index]!,
        docstrings[index]!,
        others[index]!,
      ]);
      const holds = finds.every(
        ({ negated }, index) => ofTexts[index]!.some(({ hits }) => hits > 0) !== negated,
      );
      if (!holds) return undefined;

      const shown = [
        ...names.flatMap(({ show }) => show(filename)),
        ...ofTexts.flat(),
        ...ofFields.filter((_, index) => !fields[index]!.negated),
      ];
      const isName =
        positive.length > 0 &&
        finds.every(({ negated }, index) => negated || inName[index]!.hits > 0);
      return {
        rank: isName
          ? "name"
          : isSymbol()
            ? "symbol"
            : ofTexts[leading]?.slice(1).every(({ hits }) => hits === 0)
              ? "mixed"
              : "content",
        hits: Math.min(
          MAX_COUNTED,
          shown.reduce((sum, { hits }) => sum + hits, 0),
        ),
        matches: shown.flatMap(({ matches }) => matches).slice(0, MAX_MATCHES),
      };
    };
  };
}

/** The index of the text that candidates are looked up by: the longest that must be there; -1 where there is none. */
export function leadingText({ texts }: Pick<SearchSpec, "texts">): number {
  return texts.reduce(
    (best, { text, negated }, index) =>
      !negated && text.length > (texts[best]?.text.length ?? -1) ? index : best,
    -1,
  );
}

interface Hits {
  readonly hits: number;
  readonly matches: readonly Match[];
}

const NONE: Hits = { hits: 0, matches: [] };

function foldedFor({ caseSensitive }: PatternOptions): (text: string) => string {
  return caseSensitive ? (text) => text : foldCase;
}

function take(hits: Iterable<Hit>): Hit[] {
  const taken: Hit[] = [];
  for (const hit of hits) {
    taken.push(hit);
    if (taken.length === MAX_COUNTED) break;
  }
  return taken;
}

function hitsIn(find: Find, searched: SearchedText, place: MatchPlace): Hits {
  const hits = take(find(searched));
  if (hits.length === 0) return NONE;
  const matches = toMatches(searched.text, hits, place, MAX_MATCHES);
  return {
    hits: hits.length,
    matches: place === "content" ? matches : matches.map((match) => ({ ...match, line: null })),
  };
}

/** A document with what was found out about it so far. */
class SeenDocument {
  readonly facts: DocumentFacts;
  readonly #text: SearchedText;
  readonly #starts: LineStarts;
  #docstrings: readonly { line: number; endLine: number; searched: SearchedText }[] | undefined;
  #symbols: Set<string> | undefined;

  constructor({ text, facts }: SearchDocument) {
    this.facts = facts;
    this.#text = new SearchedText(text);
    this.#starts = new LineStarts(text);
  }

  inContent(find: Find): Hits {
    return hitsIn(find, this.#text, "content");
  }

  inDocstrings(find: Find): Hits {
    this.#docstrings ??= this.facts.docstrings.map(({ text, ...at }) => ({
      ...at,
      searched: new SearchedText(text),
    }));
    let hits = 0;
    const matches: Match[] = [];
    for (const { line, endLine, searched } of this.#docstrings) {
      const found = hitsIn(find, searched, "docstring");
      hits += found.hits;
      for (const match of found.matches) {
        if (matches.length === MAX_MATCHES) break;
        matches.push(this.#placed(match, line, endLine));
      }
      if (hits >= MAX_COUNTED) break;
    }
    return { hits, matches };
  }

  /** A match in a docstring at its place in the source: its line is indented there, and may be written with escapes. */
  #placed(match: Match, line: number, endLine: number): Match {
    const quoted = match.snippet.trim();
    const lead = match.snippet.length - match.snippet.trimStart().length;
    const from = this.#starts.of(line);
    const at = quoted === "" ? -1 : this.#text.text.indexOf(quoted, from);
    const first = match.ranges[0]?.start ?? 0;
    if (at < 0 || at >= this.#starts.of(endLine + 1)) return { ...match, line, column: 1 };
    const hit = at + [...match.snippet].slice(lead, first).join("").length;
    const [there] = toMatches(this.#text.text, [{ start: hit, end: hit }], "docstring", 1);
    return { ...match, line: there?.line ?? line, column: there?.column ?? 1 };
  }

  /** Where neither text nor docstrings have it: names that tools bear and distributions that imports come from. */
  inNames(find: Find): Hits {
    const found = NAMED.flatMap(({ place, of }) =>
      of(this.facts)
        .filter(({ name }) => {
          for (const _ of find(new SearchedText(name))) return true;
          return false;
        })
        .map((named) => ({ place, named })),
    );
    return this.at(found);
  }

  /** Matches for names. */
  at(found: readonly { readonly place: MatchPlace; readonly named: Place }[]): Hits {
    const matches = found.slice(0, MAX_MATCHES).map(({ place, named }): Match => {
      const bare: Match = {
        in: place,
        line: null,
        column: 1,
        snippet: named.name,
        ranges: [{ start: 0, end: [...named.name].length }],
      };
      if (named.line === null) return bare;
      const start = this.#starts.of(named.line);
      const lineEnd = this.#text.text.indexOf("\n", start);
      const end = lineEnd < 0 ? this.#text.text.length : lineEnd;
      const last = named.name.slice(named.name.lastIndexOf(".") + 1);
      const at =
        named.column === null
          ? this.#text.text.slice(start, end).indexOf(last)
          : offsetOf(this.#text.text, start, named.column - 1) - start;
      const hit = { start: start + Math.max(0, at), end: start + Math.max(0, at) };
      const isThere = (text: string): boolean => this.#text.text.startsWith(text, hit.start);
      // What is taken from a module stands somewhere behind it.
      const modules = [...ancestors(named.name), /^\.*/.exec(named.name)?.[0] ?? ""];
      const whole = place === "import" ? modules : [named.name, last];
      // A capability does not stand there by its name: what has it does.
      const written =
        place === "capability" ? NAME.exec(this.#text.text.slice(hit.start, end))?.[0] : undefined;
      const width = (written ?? (at < 0 ? undefined : whole.find(isThere)))?.length ?? 0;
      const [there] = toMatches(
        this.#text.text,
        [{ start: hit.start, end: Math.min(end, hit.start + width) }],
        place,
        1,
      );
      return there ?? bare;
    });
    return { hits: found.length, matches };
  }

  symbols(fold: (text: string) => string): Set<string> {
    if (this.#symbols === undefined) {
      const { imports, ...others } = this.facts;
      this.#symbols = new Set(
        [others.functions, others.classes, others.tools, others.dependencies]
          .flat()
          .map(({ name }) => fold(name)),
      );
      for (const { name } of imports)
        for (const module of ancestors(fold(name))) this.#symbols.add(module);
    }
    return this.#symbols;
  }
}

/** A name, or one in another one. */
const NAME = /^[\p{L}\p{M}\p{N}_]+(?:\.[\p{L}\p{M}\p{N}_]+)*/u;

function offsetOf(text: string, lineStart: number, column: number): number {
  let offset = lineStart;
  for (let points = 0; points < column && offset < text.length; points++)
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  return offset;
}

const NAMED = [
  { place: "function", of: ({ functions }: DocumentFacts) => functions },
  { place: "class", of: ({ classes }: DocumentFacts) => classes },
  { place: "tool", of: ({ tools }: DocumentFacts) => tools },
  { place: "import", of: ({ imports }: DocumentFacts) => imports },
  { place: "dependency", of: ({ dependencies }: DocumentFacts) => dependencies },
  { place: "capability", of: ({ capabilities }: DocumentFacts) => capabilities },
] as const;

/** `undefined` for a field that the catalog looks at. */
function compileField(
  { field, value }: FieldTerm,
  caseSensitive: boolean,
): { matches: (seen: SeenDocument) => Hits } | undefined {
  if (field === "docstring") {
    const find = compilePattern(value, { regex: false, word: false, caseSensitive });
    return { matches: (seen) => seen.inDocstrings(find) };
  }
  const named = NAMED.find(({ place }) => place === field);
  if (named === undefined) return undefined;
  const glob = parseGlob(field === "dependency" ? toDistribution(value) : value, caseSensitive);
  const isDotted = field === "import" || field === "capability";
  const holds = ({ name }: Place): boolean =>
    isDotted ? ancestors(name).some(glob.test) : glob.test(name);
  return {
    matches(seen) {
      const held = named.of(seen.facts).filter(holds);
      const places = field === "import" ? oncePerPlace(held) : held;
      return seen.at(places.map((place) => ({ place: named.place, named: place })));
    },
  };
}

/** A module and what is taken from it stand at one place. */
function oncePerPlace(places: readonly Place[]): Place[] {
  const seen = new Set<string>();
  return places.filter(({ name, line, column }) => {
    const place = column === null ? `${line} ${name}` : `${line}:${column}`;
    return !seen.has(place) && seen.add(place);
  });
}

/** `Foo_Bar` is `foo-bar`; a `*` stays. */
export function toDistribution(value: string): string {
  return value
    .split("*")
    .map((part) => (part === "" ? "" : distributionOf(part)))
    .join("*");
}

function compileName(
  { value, negated }: FieldTerm,
  caseSensitive: boolean,
): { test: (filename: string) => boolean; negated: boolean; show: (filename: string) => Hits[] } {
  const glob: Glob = parseGlob(value, caseSensitive);
  const find = compilePattern(value, { regex: false, word: false, caseSensitive });
  const test = (filename: string): boolean => {
    if (!glob.isWhole) return glob.test(filename);
    for (const _ of find(new SearchedText(filename))) return true;
    return false;
  };
  return {
    test,
    negated,
    show(filename) {
      if (negated) return [];
      if (glob.isWhole) return [hitsIn(find, new SearchedText(filename), "name")];
      const end = [...filename].length;
      const match = { in: "name" as const, line: null, column: 1, snippet: filename };
      return [{ hits: 1, matches: [{ ...match, ranges: [{ start: 0, end }] }] }];
    },
  };
}
