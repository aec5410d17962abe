import type { AnalysisReport, Capability, Finding } from "@sluice/contracts";
import { visibleStart } from "./visible.js";

const DECISIONS = { refused: "refused", needs_approval: "needs approval" } as const;

/** How much was found, in one file or many. */
export class Totals {
  readonly #findings: Record<Finding["severity"], number> = { error: 0, warning: 0, info: 0 };
  readonly #uses = {
    refused: new Map<string, number>(),
    needs_approval: new Map<string, number>(),
  };

  add({ findings, capabilities }: Pick<AnalysisReport, "findings" | "capabilities">): void {
    for (const { severity } of findings) this.#findings[severity]++;
    for (const each of capabilities) this.#addUses(each);
  }

  #addUses({ capability, decision, uses }: Capability): void {
    if (decision === "allowed") return;
    const counts = this.#uses[decision];
    counts.set(capability, (counts.get(capability) ?? 0) + uses.length);
  }

  /** A line on findings and one on each decision that is no yes; none where there is nothing to say. */
  lines(): string[] {
    const { error, warning, info } = this.#findings;
    const lines = [];
    const all = error + warning + info;
    if (all > 0) {
      const parts = [
        ...(error > 0 ? [count(error, "error")] : []),
        ...(warning > 0 ? [count(warning, "warning")] : []),
        ...(info > 0 ? [`${info.toLocaleString("en")} info`] : []),
      ];
      lines.push(`${count(all, "finding")}: ${parts.join(", ")}`);
    }
    for (const decision of ["refused", "needs_approval"] as const) {
      const counts = [...this.#uses[decision]].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const told = counts.map(
        ([capability, number]) => `${visibleStart(capability, 100)} (${count(number, "place")})`,
      );
      if (told.length > 0) lines.push(`${DECISIONS[decision]}: ${told.join(", ")}`);
    }
    return lines;
  }
}

/** A number of things, such as `1,790 files`. */
export function count(number: number, thing: string): string {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}
