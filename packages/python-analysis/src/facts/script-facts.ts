/**
 * What is known of a script before any policy has its say.
 *
 * Facts are stored as JSON beside the report that was made of them, so that another policy can judge the script without its
 * source. They mean something only to the {@link ScriptFacts.analyser_version} that collected them.
 */
import type {
  AnalysisReport,
  Capability,
  Complexity,
  Finding,
  JudgedImport,
} from "@sluice/contracts";

/** How much facts hold at most, whatever the script. What is left out is counted, and never taken for harmless. */
export const FACT_LIMITS = {
  usesPerCapability: 100,
  imports: 2_000,
  /** UTF-16 units of a module's name; longer than any name in a policy. */
  moduleName: 256,
  pieces: 1_000,
  undocumented: 200,
  signatures: 1_000,
  /** UTF-16 units of all signatures together. */
  signatureText: 200_000,
} as const;

export interface ScriptFacts {
  readonly analyser_version: string;
  readonly python_version: string;
  /** Of the script as it was uploaded, in bytes. */
  readonly size: number;
  readonly syntax: AnalysisReport["syntax"];
  /** Whether it is malware under any policy; a finding says why. */
  readonly malicious: boolean;
  /** What is so under any policy, in order of place. */
  readonly findings: readonly FindingFacts[];
  readonly findings_omitted: number;
  /** `null` for what no policy can make valid: it is not Python, or beyond the limits of the parsers. */
  readonly structure: StructureFacts | null;
}

/** A finding without the texts that its rule has. */
export type FindingFacts = Pick<
  Finding,
  "rule" | "severity" | "confidence" | "message" | "line" | "column" | "end_line" | "end_column"
>;

/** Leaves out what the finding's rule says. */
export function findingFacts(full: Finding): FindingFacts {
  const { rule, severity, confidence, message, line, column, end_line, end_column } = full;
  return { rule, severity, confidence, message, line, column, end_line, end_column };
}

/** Facts of which one more finding is known, which has no place. */
export function withFinding(facts: ScriptFacts, finding: Finding): ScriptFacts {
  return { ...facts, findings: [findingFacts(finding), ...facts.findings] };
}

export interface StructureFacts {
  readonly capabilities: readonly CapabilityFacts[];
  readonly imports: ImportsFacts;
  readonly complexity: ComplexityFacts;
  readonly docstrings: DocstringFacts;
  readonly signatures: SignaturesFacts;
}

export interface CapabilityFacts {
  readonly capability: string;
  /** The first of them, in order of place. */
  readonly uses: Capability["uses"];
  /** Where the first use ends. */
  readonly end: { readonly line: number; readonly column: number };
  readonly omitted: number;
}

export interface ImportsFacts {
  /** Whether the script has a dependency block (PEP 723), so that what is not in it is undeclared. */
  readonly declares: boolean;
  /** Each module once, where it is first imported. */
  readonly modules: readonly ImportFacts[];
  readonly omitted: number;
}

/** A module; its name is cut to {@link FACT_LIMITS}. */
export interface ImportFacts extends Pick<
  JudgedImport,
  "module" | "line" | "column" | "distribution"
> {
  readonly origin: Exclude<JudgedImport["origin"], "allow_listed">;
}

export interface ComplexityFacts {
  readonly module: Complexity;
  /** In order of place; the most complex ones where there are too many. */
  readonly pieces: readonly Piece[];
  /** How many of the other pieces have which value. */
  readonly rest: Readonly<Record<Measure, readonly (readonly [value: number, count: number])[]>>;
}

export type Measure = "mccabe" | "cognitive" | "nesting";

/** A function, or without a name a block outside of any, which has no other measure than McCabe's. */
export type Piece = readonly [
  name: string | null,
  line: number,
  column: number,
  mccabe: number,
  cognitive: number,
  nesting: number,
];

export interface DocstringFacts {
  /** In order of place. */
  readonly missing: readonly Undocumented[];
  readonly public_omitted: number;
  readonly others_omitted: number;
}

/** A function or class without a docstring. */
export type Undocumented = readonly [
  kind: "function" | "class",
  name: string,
  line: number,
  column: number,
  access: "public" | "private",
];

export interface SignaturesFacts {
  /** Of the functions of the module and its classes, those within functions left out; of several of one name the last. */
  readonly functions: readonly SignatureFacts[];
  readonly omitted: number;
}

export type SignatureFacts = readonly [
  /** `__qualname__` */
  name: string,
  line: number,
  column: number,
  keyword: "def" | "async def",
  /** In order, such as `path`, `verbose: bool`, `*rest`. */
  parameters: readonly string[],
  /** As written. */
  returns: string | null,
];
