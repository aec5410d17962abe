import type { Capability } from "@sluice/contracts";
import type { Policy } from "./schema.js";

export type Decision = Capability["decision"];

const DECISIONS = ["refused", "needs_approval", "allowed"] as const satisfies readonly Decision[];

/** What a policy decides on a capability: the list with its name, else the one with the longest group, else the default. */
export function decideCapability(capability: string, { capabilities }: Policy): Decision {
  let best: { length: number; decision: Decision } = { length: -1, decision: capabilities.default };
  for (const decision of DECISIONS) {
    for (const name of capabilities[decision]) {
      const matches =
        name === capability || (name.endsWith(".*") && capability.startsWith(name.slice(0, -1)));
      const length = name === capability ? Number.POSITIVE_INFINITY : name.length;
      if (matches && length > best.length) best = { length, decision };
    }
  }
  return best.decision;
}

/**
 * What a policy decides on importing a module, its own package's rule standing in where it has none.
 *
 * @param module - as written, with the dots of a relative import before it
 */
export function decideImport(module: string, isStdlib: boolean, { imports }: Policy): Decision {
  let best: { length: number; decision: Decision } = {
    length: -1,
    decision: isStdlib ? imports.stdlib : imports.default,
  };
  for (const decision of DECISIONS) {
    for (const name of imports[decision]) {
      if (isNamedBy(name, module) && name.length > best.length)
        best = { length: name.length, decision };
    }
  }
  return best.decision;
}

/** The strictest that a policy decides on any import. */
export function strictestOnImports({ imports }: Policy): Decision {
  const listed = DECISIONS.filter((decision) => imports[decision].length > 0);
  return strictest([imports.default, imports.stdlib, ...listed]);
}

/** Whether a list of a policy names a module or the package it is in. */
export function isListed(module: string, list: readonly string[]): boolean {
  return list.some((name) => isNamedBy(name, module));
}

function isNamedBy(name: string, module: string): boolean {
  return name === "." ? module.startsWith(".") : module === name || module.startsWith(`${name}.`);
}

/** The strictest of some decisions; `allowed` for none. */
export function strictest(decisions: Iterable<Decision>): Decision {
  const all = new Set(decisions);
  return DECISIONS.find((decision) => all.has(decision)) ?? "allowed";
}
