import { CSV_TYPE } from "@sluice/contracts";
import { stringify } from "csv-stringify/sync";
import type { Request, Response } from "express";
import { ProblemError } from "./problem-error.js";

/** A cell; `null` is an empty one. */
export type Cell = string | number | null;

/**
 * Sends JSON, or a table where the request prefers one: CSV as of RFC 4180 with a header, in which what a spreadsheet would take for a
 * formula has an apostrophe before it.
 *
 * @param rows - all with the same columns, in the same order
 * @throws {@link ProblemError} `not_acceptable`
 */
export function sendTable(
  { req, res }: { readonly req: Request; readonly res: Response },
  body: object,
  columns: readonly string[],
  rows: () => readonly (readonly Cell[])[],
): void {
  const type = req.accepts(["application/json", CSV_TYPE]);
  if (type === false) {
    throw new ProblemError("not_acceptable", `There is application/json and ${CSV_TYPE}.`);
  }
  res.set("Cache-Control", "private, no-cache").set("Vary", "Accept");
  if (type !== CSV_TYPE) {
    res.json(body);
    return;
  }
  const text = stringify([[...columns], ...rows().map((row) => [...row])], {
    record_delimiter: "windows",
    escape_formulas: true,
  });
  res.set("Content-Type", `${CSV_TYPE}; charset=utf-8; header=present`).send(Buffer.from(text));
}
