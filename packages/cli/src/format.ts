import { createHash } from "node:crypto";
import { count, LOG_HEAD, SarifRun, type Style, Totals } from "@sluice/report-formats";
import type { Entry } from "./entry.js";
import type { Tally } from "./tally.js";
import { renderEntry } from "./text/render.js";

export const FORMATS = ["text", "json", "ndjson", "sarif"] as const;
export type FormatName = (typeof FORMATS)[number];

/** How entries are written: what comes before them, each of them, and what comes after. */
export interface Format {
  readonly head: string;
  /** Called once for each entry, in the order in which they are written. */
  entry(entry: Entry, source: Uint8Array | undefined): string;
  tail(tally: Tally): string;
}

/** @param analyserVersion - of the one whose reports are written */
export function createFormat(name: FormatName, style: Style, analyserVersion: string): Format {
  switch (name) {
    case "text":
      return createText(style);
    case "json": {
      const between = createSeparator();
      return {
        head: "[\n",
        entry: (entry) => between() + JSON.stringify(entry),
        tail: () => "\n]\n",
      };
    }
    case "ndjson":
      return { head: "", entry: (entry) => `${JSON.stringify(entry)}\n`, tail: () => "" };
    case "sarif":
      return createSarif(analyserVersion);
  }
}

function createText(style: Style): Format {
  const totals = new Totals();
  return {
    head: "",
    entry: (entry, source) => {
      if (entry.report) totals.add(entry.report);
      return renderEntry(entry, source, style);
    },
    tail: (tally) => [...totals.lines(), summary(tally), ""].join("\n"),
  };
}

/** One run with the results first, so that they need not be held until the last file is done. */
function createSarif(analyserVersion: string): Format {
  const run = new SarifRun({ analyserVersion });
  const between = createSeparator();
  const log = JSON.stringify(LOG_HEAD);
  return {
    head: `${log.slice(0, -1)},"runs":[{"results":[\n`,
    entry: ({ file: name, report, error }, source) => {
      if (report === null) {
        const message = error?.message ?? "There is no report of this file";
        run.addUnreported({ name, message, isFault: error?.code === "internal" });
        return "";
      }
      const sha256 = createHash("sha256")
        .update(source ?? "")
        .digest("hex");
      const results = run.add({ name, report, sha256, source });
      return results.map((result) => between() + JSON.stringify(result)).join("");
    },
    tail: () => `\n],${JSON.stringify(run.end()).slice(1)}]}\n`,
  };
}

/** @returns what stands before the next of several things: nothing before the first of them */
function createSeparator(): () => string {
  let separator = "";
  return () => {
    const before = separator;
    separator = ",\n";
    return before;
  };
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
  return `${count(tally.files, "file")}${said === "" ? "" : `: ${said}`}`;
}
