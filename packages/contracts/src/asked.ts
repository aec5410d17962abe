import { z } from "zod";
import type { AnalysisReport } from "./report.js";

/** One thing that a report wants a person's yes to. */
export const askedItem = z.object({
  kind: z.enum(["capability", "import"]),
  /** Of the capability or the module; {@link FURTHER_IMPORTS} for modules that the report does not list. */
  name: z.string(),
  /** The distinct resolved names that a capability is used through, sorted; none for an import. */
  references: z.array(z.string()),
  /** Says whether nothing was cut: what is not complete cannot be told from what was never seen. */
  complete: z.boolean(),
});
export type AskedItem = z.infer<typeof askedItem>;

/** Stands for the imports that did not fit into the report, whatever they are. */
export const FURTHER_IMPORTS = "*";

/** As many entries as this, and a list may have been cut. */
const FULL_USES = 100;
const FULL_IMPORTS = 500;

/** What a report asks approval of, in its order: capabilities, then imports. */
export function askedBy({ capabilities, imports }: AnalysisReport): AskedItem[] {
  const used = capabilities
    .filter(({ decision }) => decision === "needs_approval")
    .map(({ capability, uses }): AskedItem => {
      const references = [...new Set(uses.map(({ reference }) => reference))].toSorted();
      const complete = uses.length < FULL_USES && references.every(isWhole);
      return { kind: "capability", name: capability, references, complete };
    });
  const unapproved = imports.filter(({ decision }) => decision === "needs_approval");
  // Two long names may have been cut to the same one.
  const modules = new Set(unapproved.map(({ module }) => module));
  const imported = [...modules].map((module) => importItem(module, isWhole(module)));
  const further = imports.length < FULL_IMPORTS ? [] : [importItem(FURTHER_IMPORTS, false)];
  return [...used, ...imported, ...further];
}

function importItem(name: string, complete: boolean): AskedItem {
  return { kind: "import", name, references: [], complete };
}

/** Long names are cut in reports, and end like this then. */
function isWhole(name: string): boolean {
  return !name.endsWith("…");
}
