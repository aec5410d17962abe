/**
 * What findings and capabilities mean, for those that show reports and parse nothing: `@sluice/python-analysis/vocabulary` loads
 * neither a parser nor a Python.
 */
import { capabilityMap } from "./capabilities/map.js";
import { RULES, type Rule } from "./findings/rules/index.js";

export { decodeSource, withLineFeeds } from "./decode.js";
export type { Rule };

/** @returns `undefined` for a rule that this analyser does not have, such as one of an older report */
export function describeRule(id: string): Rule | undefined {
  return Object.hasOwn(RULES, id) ? RULES[id as keyof typeof RULES] : undefined;
}

/** What a script with the capability does, as the rest of a sentence: `starts programs or processes`. */
export function describeCapability(capability: string): string | undefined {
  return capabilityMap().descriptions.get(capability);
}
