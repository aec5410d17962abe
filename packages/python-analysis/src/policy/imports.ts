import type { Finding } from "@sluice/contracts";
import { distributionOf, isNamespace } from "../dependencies/distributions.js";
import { canonicalName } from "../dependencies/requirement.js";
import { readDeclaration } from "../dependencies/script-metadata.js";
import { STDLIB_MODULES } from "../dependencies/stdlib-modules.js";
import { finding, quoted } from "../findings/finding.js";
import { collectImports, moduleName, type Import } from "../structure/imports.js";
import type { ParsedModule } from "../structure/types.js";
import { decideImport, strictest, type Decision } from "./decide.js";
import type { Policy } from "./schema.js";

export interface ImportJudgement {
  /** On all imports together. */
  readonly decision: Decision;
  readonly findings: readonly Finding[];
}

const SEVERITIES = { refused: "error", needs_approval: "warning" } as const;

/** Judges what a script imports: each module once, where it is first imported. */
export function judgeImports(parsed: ParsedModule, policy: Policy): ImportJudgement {
  const decisions: Decision[] = [];
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const imports = collectImports(parsed);
  for (const imported of imports) {
    for (const name of namesOf(imported)) {
      if (seen.has(name)) continue;
      seen.add(name);
      const decision = decideImport(name, isStdlib(imported), policy);
      decisions.push(decision);
      if (decision === "allowed") continue;
      const message = `the import of \`${quoted(name)}\` ${decision === "refused" ? "is refused" : "needs approval"}`;
      findings.push(
        finding(
          "imports.not-allowed",
          message,
          { start: imported.position },
          { severity: SEVERITIES[decision] },
        ),
      );
    }
  }
  return {
    decision: strictest(decisions),
    findings: [...findings, ...undeclared(parsed, imports, policy)],
  };
}

function isStdlib({ level, module }: Import): boolean {
  return level === 0 && (module === "__future__" || STDLIB_MODULES.has(module.split(".", 1)[0]!));
}

/** The modules that an import names. What is imported from a namespace package is a module itself. */
function namesOf(imported: Import): string[] {
  const module = moduleName(imported);
  if (imported.names === null || !isNamespace(imported.module)) return [module];
  return imported.names.map(({ name }) => (name === "*" ? module : `${module}.${name}`));
}

/** Imports whose package the script's own dependency block leaves out. Without a block, nothing is said to be declared. */
function undeclared(parsed: ParsedModule, imports: readonly Import[], policy: Policy): Finding[] {
  const severity = policy.imports.undeclared;
  const { metadata, problems } = readDeclaration(parsed.text);
  const broken = problems.map(({ message, line }) =>
    finding("imports.declaration", quoted(message, 300), { start: { line, column: 1 } }),
  );
  if (severity === "off" || !metadata) return broken;
  const declared = metadata.dependencies.map(({ name }) => name).toSorted();
  const missing = new Map<string, Finding>();
  for (const imported of imports) {
    if (imported.level > 0 || isStdlib(imported)) continue;
    for (const module of namesOf(imported)) {
      const distribution = distributionOf(module);
      if (distribution === null || missing.has(distribution)) continue;
      if (installs(declared, distribution, module)) continue;
      const message = `\`${quoted(module)}\` is imported, but the script does not declare ${quoted(distribution)} or the like`;
      missing.set(
        distribution,
        finding("imports.undeclared", message, { start: imported.position }, { severity }),
      );
    }
  }
  return [...broken, ...missing.values()];
}

/**
 * Whether one of the distributions may well install the module: `opencv-python-headless` does what `opencv-python` does.
 *
 * @param declared - in ascending order
 */
function installs(declared: readonly string[], distribution: string, module: string): boolean {
  const own = canonicalName(module.split(".", 1)[0]!);
  return (
    firstFrom(declared, own) === own ||
    firstFrom(declared, distribution) === distribution ||
    firstFrom(declared, `${distribution}-`)?.startsWith(`${distribution}-`) === true
  );
}

/** The first of some names in ascending order that is not before `least`. */
function firstFrom(names: readonly string[], least: string): string | undefined {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return names[low];
}
