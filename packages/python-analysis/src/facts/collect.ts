import type { Finding } from "@sluice/contracts";
import { resolveUses, type Resolution } from "../capabilities/uses.js";
import type { DecodedSource } from "../decode.js";
import { binaryFindings } from "../findings/binary.js";
import { callFindings } from "../findings/calls.js";
import { finding, placeOf } from "../findings/finding.js";
import { listed } from "../findings/listed.js";
import { obfuscationFindings } from "../findings/obfuscation.js";
import { suppressionFindings } from "../findings/suppressions.js";
import { syntaxOutcome } from "../findings/syntax.js";
import { lineEndFindings, textFindings, tokenFindings } from "../findings/text.js";
import { toolFindings } from "../findings/tools.js";
import { unusedImportFindings } from "../findings/unused-imports.js";
import { malwareFindings } from "../malware/threats.js";
import type { ParsedModule } from "../structure/types.js";
import { BUILT_IN_PYTHON, type Python } from "../verdict/python.js";
import type { CompileVerdict } from "../verdict/types.js";
import { capabilityFacts } from "./capabilities.js";
import { complexityFacts } from "./complexity.js";
import { docstringFacts, signatureFacts } from "./definitions.js";
import { importFacts } from "./imports.js";
import { findingFacts, type ScriptFacts, type StructureFacts } from "./script-facts.js";

/** Everything that is known of a script when its facts are collected. */
export interface FactsInput {
  /** As it was uploaded. */
  readonly source: Uint8Array;
  readonly decoded: DecodedSource;
  readonly verdict: CompileVerdict;
  /** Only looked at where the verdict is that the script is valid. */
  readonly parsed: ParsedModule | undefined;
  /** Whose verdict it is; the built-in one's if nothing is said. */
  readonly python?: Python | undefined;
  /** Looks for malware; {@link malwareFindings} with the rules that come along, if nothing is said. */
  readonly findMalware?: typeof malwareFindings | undefined;
}

/** Collects what can be said of a script without a policy. JSON keeps it as it is. Never throws. */
export function collectFacts(input: FactsInput): ScriptFacts {
  const { source, decoded, verdict, parsed, python = BUILT_IN_PYTHON } = input;
  const { findMalware = malwareFindings } = input;
  const { syntax, findings } = syntaxOutcome(decoded, verdict);
  const outcome = syntax.valid ? findings : [...findings, ...binaryFindings(source)];
  const found =
    syntax.valid && verdict.killed === null && parsed
      ? readStructure(parsed, source, python, findMalware)
      : { structure: null, findings: unreadable(outcome), malicious: false };
  const { kept, omitted } = listed([...outcome, ...found.findings]);
  return {
    analyser_version: python.analyserVersion,
    python_version: python.version,
    size: source.length,
    syntax,
    malicious: found.malicious,
    findings: kept.map(findingFacts),
    findings_omitted: omitted,
    structure: found.structure,
  };
}

/** What is invalid must have a finding that says so. */
function unreadable(findings: readonly Finding[]): Finding[] {
  if (findings.some(({ severity }) => severity === "error")) return [];
  return [finding("syntax.parser-killed", "the structure of the script could not be read", null)];
}

function readStructure(
  parsed: ParsedModule,
  source: Uint8Array,
  python: Python,
  findMalware: typeof malwareFindings,
): {
  readonly structure: StructureFacts;
  readonly findings: readonly Finding[];
  readonly malicious: boolean;
} {
  const resolution = resolveUses(parsed);
  const { imports, findings: onImports } = importFacts(parsed, source, python);
  const malware = findMalware(parsed, resolution);
  const findings = [
    ...emptyFindings(source),
    ...lineEndFindings(source),
    ...textFindings(parsed),
    ...tokenFindings(parsed),
    ...onImports,
    ...unusedImportFindings(parsed, resolution),
    ...toolFindings(parsed),
    ...callFindings(parsed, resolution),
    ...obfuscationFindings(parsed, resolution),
    ...unreadFindings(parsed, resolution),
    ...malware,
  ];
  return {
    structure: {
      capabilities: capabilityFacts(parsed, resolution),
      imports,
      complexity: complexityFacts(parsed),
      docstrings: docstringFacts(parsed),
      signatures: signatureFacts(parsed),
    },
    findings: [...findings, ...suppressionFindings(parsed, findings, resolution)],
    malicious: malware.some(({ severity }) => severity === "error"),
  };
}

function emptyFindings(source: Uint8Array): Finding[] {
  return source.length === 0 ? [finding("source.empty", "the file is empty", null)] : [];
}

function unreadFindings(parsed: ParsedModule, { names, shownAt }: Resolution): Finding[] {
  return names.unread.map((node) => {
    const message = "this could not be read, so what it does is unresolved";
    return finding("syntax.partly-read", message, placeOf(parsed, shownAt(node)));
  });
}
