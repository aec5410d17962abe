/** What the index keeps of some bytes: their text, and what extraction and validation found in it. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { AnalysisMetadata, AnalysisReport } from "@sluice/contracts";
import { decodeSource, withLineFeeds } from "@sluice/python-analysis/vocabulary";
import { foldCase } from "./fold.js";
import { KeySet } from "./keys.js";

/** A name and where it stands. */
export interface Place {
  readonly name: string;
  /** Counts from 1; `null` where nobody knows. */
  readonly line: number | null;
  /** Counts from 1, in code points; `null` where nobody knows. */
  readonly column: number | null;
}

export interface Docstring {
  /** The lines of what it documents. */
  readonly line: number;
  readonly endLine: number;
  readonly text: string;
}

/** Names as they are written. */
export interface DocumentFacts {
  /** By name and, where that is another, by qualified name. */
  readonly functions: readonly Place[];
  readonly classes: readonly Place[];
  readonly tools: readonly Place[];
  readonly imports: readonly Place[];
  /** Canonical names of distributions. */
  readonly dependencies: readonly Place[];
  readonly capabilities: readonly Place[];
  readonly docstrings: readonly Docstring[];
}

export interface SearchDocument {
  /** Lines end with `\n`. */
  readonly text: string;
  readonly facts: DocumentFacts;
}

const NO_FACTS: DocumentFacts = {
  functions: [],
  classes: [],
  tools: [],
  imports: [],
  dependencies: [],
  capabilities: [],
  docstrings: [],
};

/** Names of one kind that are kept of one script. */
const MAX_NAMES = 20_000;
/** Places of one capability that are kept of one script. */
const MAX_USES = 100;

/**
 * @param source - the bytes as they were uploaded; those that are no source text are read as UTF-8, with U+FFFD for what is none
 * @param metadata - what extraction found, where it has
 * @param report - what validation found, where it has
 */
export function buildDocument(
  source: Uint8Array,
  metadata: AnalysisMetadata | undefined,
  report: AnalysisReport | undefined,
): SearchDocument {
  return {
    text: textOf(source),
    facts: {
      ...NO_FACTS,
      ...(metadata === undefined ? {} : namesIn(metadata)),
      capabilities: (report?.capabilities ?? []).flatMap(({ capability, uses }) =>
        uses.slice(0, MAX_USES).map(({ line, column }) => ({ name: capability, line, column })),
      ),
    },
  };
}

function textOf(source: Uint8Array): string {
  const decoded = decodeSource(source);
  if (decoded.ok) return decoded.text;
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  return withLineFeeds(bytes)
    .toString("utf8")
    .replace(/^\ufeff/, "");
}

function namesIn(metadata: AnalysisMetadata): Omit<DocumentFacts, "capabilities"> {
  const defined = (
    definitions: readonly { name: string; qualified_name: string; line_number: number }[],
  ): Place[] =>
    definitions
      .slice(0, MAX_NAMES)
      .flatMap(({ name, qualified_name: qualified, line_number: line }) => {
        const place = { name, line, column: null };
        return qualified === name ? [place] : [place, { ...place, name: qualified }];
      });
  const imports = metadata.import_details
    .slice(0, MAX_NAMES)
    .flatMap(importedNames)
    .slice(0, MAX_NAMES);
  const detailed = new Set(imports.map(({ name }) => name));
  const tools = new Map(
    Object.values(metadata.tools)
      .flat()
      .map(({ tool, function: name, line_number: line }) => [
        `${tool?.name ?? name}:${line}`,
        { name: tool?.name ?? name, line, column: null },
      ]),
  );
  const documented = [...metadata.functions, ...metadata.classes].slice(0, MAX_NAMES);
  return {
    functions: defined(metadata.functions),
    classes: defined(metadata.classes),
    tools: [...tools.values()].slice(0, MAX_NAMES),
    imports: [
      ...imports,
      ...metadata.imports
        .filter((module) => !detailed.has(module))
        .slice(0, MAX_NAMES)
        .map((name) => ({ name, line: null, column: null })),
    ],
    dependencies: metadata.dependencies
      .slice(0, MAX_NAMES)
      .map((requirement) => ({ name: distributionOf(requirement), line: null, column: null })),
    docstrings: [
      ...(metadata.docstring === null
        ? []
        : [{ line: 1, endLine: Number.MAX_SAFE_INTEGER, text: metadata.docstring }]),
      ...documented.flatMap(({ docstring, line_number: line, end_line_number: endLine }) =>
        docstring === null ? [] : [{ line, endLine, text: docstring }],
      ),
    ],
  };
}

/** The module as it is written, dots of a relative import included, and what is taken from it, which may be modules, too. */
function importedNames({
  module,
  level,
  names,
  line_number: line,
  column,
}: AnalysisMetadata["import_details"][number]): Place[] {
  const name = ".".repeat(level) + module;
  const taken = (names ?? []).filter((each) => each.name !== "*");
  const prefix = module === "" ? name : `${name}.`;
  return [name, ...taken.map((each) => prefix + each.name)].map((each) => ({
    name: each,
    line,
    column,
  }));
}

/** The canonical name (PEP 503) in a requirement (PEP 508). */
export function distributionOf(requirement: string): string {
  const name = /^\s*[A-Za-z0-9._-]+/.exec(requirement)?.[0].trim() ?? requirement;
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}

/** Every key of a document, in ascending order. */
export function keysOfDocument({ text, facts }: SearchDocument): number[] {
  const keys = new KeySet();
  keys.addText(foldCase(text));
  for (const [field, places] of [
    ["function", facts.functions],
    ["class", facts.classes],
    ["tool", facts.tools],
    ["import", facts.imports],
    ["dependency", facts.dependencies],
    ["capability", facts.capabilities],
  ] as const) {
    for (const name of new Set(places.map((place) => place.name))) {
      const folded = foldCase(name);
      keys.addText(folded);
      const whole = field === "import" || field === "capability" ? ancestors(folded) : [folded];
      for (const term of whole) keys.addTerm(field, term);
    }
  }
  for (const { text: docstring } of facts.docstrings) keys.addText(foldCase(docstring));
  return keys.toKeys();
}

/** `a.b.c`, `a.b` and `a`; of a relative `..a.b` that and `..a`. */
export function ancestors(name: string): string[] {
  const dots = /^\.*/.exec(name)?.[0] ?? "";
  const parts = name.slice(dots.length).split(".");
  return parts.map((_, index) => dots + parts.slice(0, parts.length - index).join("."));
}

/** As it is kept. */
export function packDocument({ text, facts }: SearchDocument): Buffer {
  // JSON escapes lone surrogates, which docstrings may hold and UTF-8 cannot.
  return deflateRawSync(JSON.stringify({ text, facts }), { level: 6 });
}

/** @throws where it is not what {@link packDocument} gave */
export function unpackDocument(packed: Uint8Array): SearchDocument {
  return JSON.parse(inflateRawSync(packed).toString("utf8")) as SearchDocument;
}

/** Every key of a script's name and namespace. */
export function keysOfScript({
  filename,
  namespace,
}: {
  filename: string;
  namespace: string;
}): number[] {
  const keys = new KeySet();
  keys.addText(foldCase(filename));
  const folded = foldCase(namespace);
  keys.addTerm("namespace", folded);
  const segments = folded.split("/");
  for (let length = 1; length < segments.length; length++)
    keys.addTerm("below", segments.slice(0, length).join("/"));
  return keys.toKeys();
}
