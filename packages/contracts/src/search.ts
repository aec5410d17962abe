import { VERDICTS, VERSION_STATES } from "@sluice/pipeline";
import { z } from "zod";

/** Where free text can be looked for. */
export const SEARCH_PLACES = ["name", "content", "docstring"] as const;

/** Where a match of a search can be found. */
export const MATCH_PLACES = [
  "name",
  "content",
  "docstring",
  "function",
  "class",
  "tool",
  "import",
  "dependency",
  "capability",
] as const;
export type MatchPlace = (typeof MATCH_PLACES)[number];

const searchMatch = z.object({
  in: z.enum(MATCH_PLACES).describe("What it was found in"),
  line: z
    .int()
    .nullable()
    .describe("Counts from 1, as Python counts lines; `null` outside of the source"),
  column: z.int().describe("Of the first hit in the snippet; counts from 1, in code points"),
  snippet: z.string().describe("The line, or of a long one what is around the hit"),
  ranges: z
    .array(z.object({ start: z.int(), end: z.int() }))
    .describe("Hits in the snippet, in code points from 0, `end` not included"),
});

const searchItem = z.object({
  script_id: z.uuid(),
  filename: z.string(),
  namespace: z.string(),
  version: z.int().describe("The newest that is indexed"),
  sha256: z.string(),
  size: z.int(),
  upload_time: z.iso.datetime(),
  state: z.enum(VERSION_STATES).describe("Of that version"),
  verdict: z.enum(VERDICTS).nullable(),
  rank: z
    .enum(["name", "symbol", "content", "mixed"])
    .describe(
      "Found by its name, by a name that it defines or imports, by its content, or by several of these",
    ),
  hits: z.int().describe("All of them, also those that are not listed; counting ends at 1,000"),
  matches: z
    .array(searchMatch)
    .describe("The first 20 lines with hits; empty where no text was asked for"),
});

/** `GET /search`. */
export const searchResults = z
  .object({
    items: z.array(searchItem).describe("One a script, those that fit best first"),
    next_cursor: z
      .string()
      .nullable()
      .describe("`null` where everything was looked at; the page behind it may turn out empty"),
    complete: z
      .boolean()
      .describe(
        "`false` where the time for one request was over before the page was full: `next_cursor` goes on where it stopped",
      ),
    passed_over: z
      .int()
      .describe(
        "Scripts that took too long to look at; narrow the expression to have them looked at",
      ),
  })
  .meta({ id: "SearchResults" });
export type SearchResults = z.infer<typeof searchResults>;
