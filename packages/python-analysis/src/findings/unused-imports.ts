import type { Finding } from "@sluice/contracts";
import { capabilityMap } from "../capabilities/map.js";
import type { Resolution } from "../capabilities/uses.js";
import type { ParsedModule } from "../structure/types.js";
import { finding, placeOf, quoted } from "./finding.js";

/**
 * Modules that could act on the world and of which a script, having imported them, uses nothing at all, in order of place; one for
 * each. Of a module whose harmless members are used, such as `os.path`, there is nothing to say.
 */
export function unusedImportFindings(
  parsed: ParsedModule,
  { names, uses }: Pick<Resolution, "names" | "uses">,
): Finding[] {
  const map = capabilityMap();
  const read = new Set([...names.references.values()].flatMap(({ variables }) => [...variables]));
  const acting = new Set(uses.map(({ node }) => node));
  const told = new Map<string, Finding | null>();
  for (const { variable, origin, place } of names.bindings) {
    if (origin.kind !== "import") continue;
    const path = origin.member === null ? origin.module : `${origin.module}.${origin.member}`;
    const grants = map.lookup(path) ?? map.module(path) ?? [];
    if (grants.length === 0) continue;
    const isUsed = read.has(variable) || acting.has(place);
    if (isUsed) told.set(origin.module, null);
    else if (!told.has(origin.module)) {
      const could = [...new Set(grants.map(({ capability }) => capability))].join(", ");
      const message = `${quoted(path)} is imported and not used; it could give ${could}`;
      told.set(origin.module, finding("imports.unused", message, placeOf(parsed, place)));
    }
  }
  return [...told.values()].filter((each) => each !== null);
}
