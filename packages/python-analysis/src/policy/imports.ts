import type { Finding, JudgedImport } from "@sluice/contracts";
import {
  DeclaredDependencies,
  isStandardLibrary,
  sourcesOf,
  type ImportOrigin,
} from "../dependencies/imports.js";
import { satisfies } from "../dependencies/version.js";
import { readDeclaration, type Declaration } from "../dependencies/script-metadata.js";
import { finding, quoted } from "../findings/finding.js";
import { collectImports } from "../structure/imports.js";
import type { ParsedModule, Position } from "../structure/types.js";
import type { Python } from "../verdict/python.js";
import { decideImport, isListed, strictest, type Decision } from "./decide.js";
import type { Policy } from "./schema.js";

export interface ImportJudgement {
  /** On all imports together. */
  readonly decision: Decision;
  /** Each module once, where it is first imported. */
  readonly imports: readonly JudgedImport[];
  readonly findings: readonly Finding[];
}

const SEVERITIES = { refused: "error", needs_approval: "warning" } as const;

/** As much of a name as a report tells. */
const LONGEST_NAME = 200;

const CARRIAGE_RETURN = 0x0d;

interface ImportedModule {
  readonly module: string;
  readonly position: Position;
  readonly origin: ImportOrigin;
  readonly decision: Decision;
}

/**
 * Judges what a script imports, and what it says of that in its own dependency block (PEP 723).
 *
 * @param source - as it was uploaded
 * @param python - whose verdict on the script it is
 */
export function judgeImports(
  parsed: ParsedModule,
  policy: Policy,
  source: Uint8Array,
  python: Python,
): ImportJudgement {
  const declaration = readDeclaration(parsed.text);
  const modules = importedModules(parsed, declaration, policy);
  return {
    decision: strictest(modules.map(({ decision }) => decision)),
    imports: modules.map((each) => judgedImport(each, policy)),
    findings: [
      ...modules.flatMap(notAllowed),
      ...declarationFindings(declaration, python),
      ...lineEndFindings(declaration, source),
      ...undeclared(modules, declaration, policy),
    ],
  };
}

function importedModules(
  parsed: ParsedModule,
  { metadata }: Declaration,
  policy: Policy,
): ImportedModule[] {
  const declared = new DeclaredDependencies(metadata?.dependencies ?? []);
  const found = new Map<string, ImportedModule>();
  for (const imported of collectImports(parsed)) {
    for (const { modules, origin } of sourcesOf(imported, declared)) {
      for (const module of modules) {
        if (found.has(module)) continue;
        const decision = decideImport(module, isStandardLibrary(module), policy);
        found.set(module, { module, position: imported.position, origin, decision });
      }
    }
  }
  return [...found.values()];
}

function judgedImport(imported: ImportedModule, policy: Policy): JudgedImport {
  const { module, position, origin, decision } = imported;
  const isAllowListed = origin.origin === "unknown" && isListed(module, policy.imports.allowed);
  return {
    module: quoted(module, LONGEST_NAME),
    ...position,
    origin: isAllowListed ? "allow_listed" : origin.origin,
    distribution: origin.distribution && quoted(origin.distribution, LONGEST_NAME),
    decision,
  };
}

function notAllowed({ module, position, decision }: ImportedModule): Finding[] {
  if (decision === "allowed") return [];
  const message = `the import of \`${quoted(module)}\` ${decision === "refused" ? "is refused" : "needs approval"}`;
  const severity = SEVERITIES[decision];
  return [finding("imports.not-allowed", message, { start: position }, { severity })];
}

/** What is wrong with the dependency block itself. */
function declarationFindings({ metadata, problems }: Declaration, { version }: Python): Finding[] {
  const findings = problems.map(({ message, line }) =>
    finding("imports.declaration", quoted(message, 300), { start: { line, column: 1 } }),
  );
  const wanted = metadata?.requiresPython ?? null;
  if (metadata && wanted !== null && !satisfies(releaseOf(version), wanted)) {
    const message = `the script requires Python ${quoted(wanted)}, but was judged by Python ${version}`;
    const start = { line: metadata.requiresPythonLine ?? metadata.line, column: 1 };
    findings.push(finding("python.version", message, { start }));
  }
  return findings;
}

/** What `3.15.0b1` is a pre-release of, and `3.13.0+` a build after: installers let those stand for the release, too. */
function releaseOf(version: string): string {
  return /^\d+(?:\.\d+)*/.exec(version)?.[0] ?? version;
}

/** Some tools find a block only where the bytes are as the specification's expression has them. */
function lineEndFindings({ metadata }: Declaration, source: Uint8Array): Finding[] {
  if (!metadata || !source.includes(CARRIAGE_RETURN)) return [];
  const message =
    "the dependency block was read, but tools that follow PEP 723 to the letter may not see it between lines that end with CR";
  const place = { start: { line: metadata.line, column: 1 } };
  return [finding("imports.declaration", message, place, { severity: "info" })];
}

/** Imports whose package the script's own dependency block leaves out. Without a block, nothing is said to be declared. */
function undeclared(
  modules: readonly ImportedModule[],
  { metadata }: Declaration,
  { imports }: Policy,
): Finding[] {
  if (imports.undeclared === "off" || !metadata) return [];
  const missing = new Map<string, Finding>();
  for (const { module, position, origin } of modules) {
    const { distribution } = origin;
    if (origin.origin !== "unknown" || distribution === null || missing.has(distribution)) continue;
    const message = `\`${quoted(module)}\` is imported, but the script does not declare ${quoted(distribution)} or the like`;
    const severity = { severity: imports.undeclared };
    missing.set(
      distribution,
      finding("imports.undeclared", message, { start: position }, severity),
    );
  }
  return [...missing.values()];
}
