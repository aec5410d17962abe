import { capabilityMap } from "../capabilities/map.js";
import type { Resolution, Use } from "../capabilities/uses.js";
import { quoted } from "../findings/finding.js";
import type { ParsedModule } from "../structure/types.js";
import { type CapabilityFacts, FACT_LIMITS } from "./script-facts.js";

/** Groups uses by capability, in the order of the capabilities' data. */
export function capabilityFacts(parsed: ParsedModule, resolution: Resolution): CapabilityFacts[] {
  const byCapability = new Map<string, Use[]>();
  for (const use of resolution.uses) {
    const alike = byCapability.get(use.capability);
    if (alike) alike.push(use);
    else byCapability.set(use.capability, [use]);
  }
  return [...capabilityMap().descriptions.keys()].flatMap((capability) => {
    const all = byCapability.get(capability);
    if (!all) return [];
    const uses = inOrder(all);
    const kept = uses.slice(0, FACT_LIMITS.usesPerCapability);
    return {
      capability,
      uses: kept.map(({ node, origin, reference }) => ({
        reference: quoted(reference, 200),
        ...parsed.position(node.startIndex),
        chain: resolution.chain(origin),
      })),
      end: parsed.position(uses[0]!.node.endIndex),
      omitted: uses.length - kept.length,
    };
  });
}

/** In order of place, each reference at each place once. */
function inOrder(uses: readonly Use[]): Use[] {
  const distinct = new Map(uses.map((use) => [`${use.node.startIndex} ${use.reference}`, use]));
  return [...distinct.values()].toSorted(
    (a, b) => a.node.startIndex - b.node.startIndex || (a.reference < b.reference ? -1 : 1),
  );
}
