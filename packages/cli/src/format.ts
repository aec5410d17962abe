import type { Entry } from "./entry.js";
import type { Tally } from "./tally.js";
import { count, renderEntry } from "./text/render.js";
import type { Style } from "./text/style.js";

export const FORMATS = ["text", "json", "ndjson"] as const;
export type FormatName = (typeof FORMATS)[number];

/** How entries are written: what comes before them, each of them, and what comes after. */
export interface Format {
  readonly head: string;
  entry(entry: Entry, source: Uint8Array | undefined): string;
  /** Put between two entries. */
  readonly separator: string;
  tail(tally: Tally): string;
}

export function createFormat(name: FormatName, style: Style): Format {
  switch (name) {
    case "text":
      return {
        head: "",
        entry: (entry, source) => renderEntry(entry, source, style),
        separator: "",
        tail: summary,
      };
    case "json":
      return { head: "[\n", entry: toJson, separator: ",\n", tail: () => "\n]\n" };
    case "ndjson":
      return { head: "", entry: (entry) => `${toJson(entry)}\n`, separator: "", tail: () => "" };
  }
}

function toJson(entry: Entry): string {
  return JSON.stringify(entry);
}

function summary(tally: Tally): string {
  const { verdicts } = tally;
  const parts = [
    [verdicts.allowed, "allowed"],
    [verdicts.needs_approval, "to be approved"],
    [verdicts.refused, "refused"],
    [verdicts.malicious, "malicious"],
    [verdicts.invalid, "invalid"],
    [tally.unread, "not read"],
    [tally.failed, "failed by a fault of Sluice"],
  ] as const;
  const told = parts.filter(([number]) => number > 0);
  const said = told.map(([number, what]) => `${number.toLocaleString("en")} ${what}`).join(", ");
  return `${count(tally.files, "file")}${said === "" ? "" : `: ${said}`}\n`;
}
