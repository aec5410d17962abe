import type { ReportingDescriptorReference, ToolComponent, ToolComponentReference } from "sarif";
import { CWE_NAMES } from "./cwe-names.js";

/** As the taxonomies that the SARIF committee publishes have it. */
const CWE_GUID = "FFC64C90-42B6-44CE-8BEB-F6B7DAE649E5";
const CWE: ToolComponentReference = { name: "CWE", guid: CWE_GUID };

/** The weaknesses that a run refers to, in the order in which it does so first. */
export class Taxonomy {
  readonly #indices = new Map<number, number>();

  /** A reference to a weakness, for results and rules. */
  reference(cwe: number): ReportingDescriptorReference {
    const index = this.#indices.get(cwe) ?? this.#indices.size;
    this.#indices.set(cwe, index);
    return { id: String(cwe), index, toolComponent: CWE };
  }

  /** @returns none where nothing refers to a weakness */
  get components(): ToolComponent[] {
    if (this.#indices.size === 0) return [];
    return [
      {
        ...CWE,
        name: "CWE",
        organization: "MITRE",
        shortDescription: { text: "The MITRE Common Weakness Enumeration." },
        informationUri: "https://cwe.mitre.org/data/index.html",
        isComprehensive: false,
        taxa: [...this.#indices.keys()].map((cwe) => {
          const name = CWE_NAMES[cwe];
          return {
            id: String(cwe),
            ...(name !== undefined && { shortDescription: { text: `${name}.` } }),
            helpUri: `https://cwe.mitre.org/data/definitions/${cwe}.html`,
          };
        }),
      },
    ];
  }

  /** For the tool that uses them. */
  get supported(): ToolComponentReference[] {
    return this.#indices.size === 0 ? [] : [CWE];
  }
}
