import type { Finding } from "@sluice/contracts";
import { DeclaredDependencies, sourcesOf } from "../dependencies/imports.js";
import { type Declaration, readDeclaration } from "../dependencies/script-metadata.js";
import { satisfies } from "../dependencies/version.js";
import { finding, quoted } from "../findings/finding.js";
import { collectImports } from "../structure/imports.js";
import type { ParsedModule } from "../structure/types.js";
import type { Python } from "../verdict/python.js";
import { FACT_LIMITS, type ImportFacts, type ImportsFacts } from "./script-facts.js";

const CARRIAGE_RETURN = 0x0d;

/**
 * What a script imports, and what is wrong with its own dependency block (PEP 723).
 *
 * @param source - as it was uploaded
 * @param python - whose verdict on the script it is
 */
export function importFacts(
  parsed: ParsedModule,
  source: Uint8Array,
  python: Python,
): { readonly imports: ImportsFacts; readonly findings: readonly Finding[] } {
  const declaration = readDeclaration(parsed.text);
  const { metadata } = declaration;
  const all = importedModules(parsed, declaration);
  const modules = all.slice(0, FACT_LIMITS.imports);
  return {
    imports: { declares: metadata !== null, modules, omitted: all.length - modules.length },
    findings: [
      ...declarationFindings(declaration, python),
      ...lineEndFindings(declaration, source),
    ],
  };
}

function importedModules(parsed: ParsedModule, { metadata }: Declaration): ImportFacts[] {
  const declared = new DeclaredDependencies(metadata?.dependencies ?? []);
  const found = new Map<string, ImportFacts>();
  for (const imported of collectImports(parsed)) {
    for (const { modules, origin } of sourcesOf(imported, declared)) {
      for (const module of modules) {
        if (found.has(module)) continue;
        found.set(module, {
          module: module.slice(0, FACT_LIMITS.moduleName),
          line: imported.position.line,
          column: imported.position.column,
          origin: origin.origin,
          distribution: origin.distribution && quoted(origin.distribution, 200),
        });
      }
    }
  }
  return [...found.values()];
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
