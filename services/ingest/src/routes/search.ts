import type { SearchResults } from "@sluice/contracts";
import {
  ExpressionError,
  parseQuery,
  QueryError,
  SearchBusyError,
  type SearchSpec,
} from "@sluice/search";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { type SearchHit, type SearchPage, searchScripts } from "../search/engine.js";

const position = z.strictObject({
  pass: z.int().min(0).max(3),
  document: z.int().min(0).max(2_147_483_647),
  scriptId: z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
});

export function search({ searching }: Dependencies): Route {
  return route("search", async ({ query, res }) => {
    const { cursor, limit, ...asked } = query;
    const of = { list: "search", ...asked };
    const spec: SearchSpec = {
      ...parse(asked.q),
      options: { regex: asked.regex, word: asked.word, caseSensitive: asked.case },
      places: asked.in,
    };
    const at = cursor === undefined ? undefined : decodeCursor(cursor, of, position);
    const page = await find(spec, asked.q, () => searchScripts(searching, spec, { at, limit }));
    const body: SearchResults = {
      items: page.items.map(toItem),
      next_cursor: page.next === undefined ? null : encodeCursor(page.next, of),
      complete: page.complete,
      passed_over: page.passedOver,
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

function parse(q: string): Pick<SearchSpec, "texts" | "fields"> {
  try {
    return parseQuery(q);
  } catch (error) {
    if (error instanceof QueryError) throw wrong(error.message);
    throw error;
  }
}

async function find(
  spec: SearchSpec,
  q: string,
  run: () => Promise<SearchPage>,
): Promise<SearchPage> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ExpressionError) throw wrong(describe(error, spec, q));
    if (error instanceof SearchBusyError) {
      throw new ProblemError(
        "search_overloaded",
        "Too much is being searched for at once. Try again in a moment.",
        { headers: { "Retry-After": "1" }, cause: error },
      );
    }
    throw error;
  }
}

/** Says where in `q` the wrong part of an expression is, in characters from 1. */
function describe({ reason, fragment }: ExpressionError, { texts }: SearchSpec, q: string): string {
  const wrongOne = texts.find(({ text }) => text.includes(fragment));
  if (wrongOne === undefined) return `is no regular expression: ${reason}`;
  const offset = wrongOne.at + wrongOne.text.indexOf(fragment);
  const shown = fragment.length > 60 ? `${fragment.slice(0, 60)}…` : fragment;
  return `is no regular expression: ${reason} at character ${Array.from(q.slice(0, offset)).length + 1}: \`${shown}\``;
}

function wrong(message: string): ProblemError {
  return new ProblemError("invalid_query", `\`q\` ${message}.`, {
    errors: [{ in: "query", name: "q", message }],
  });
}

function toItem({ script, found }: SearchHit): SearchResults["items"][number] {
  return {
    script_id: script.scriptId,
    filename: script.filename,
    namespace: script.namespace,
    version: script.version,
    sha256: script.sha256,
    size: script.size,
    upload_time: script.uploadTime.toISOString(),
    state: script.state,
    verdict: script.verdict ?? null,
    rank: found.rank,
    hits: found.hits,
    matches: found.matches.map((match) => ({
      ...match,
      ranges: match.ranges.map((range) => ({ ...range })),
    })),
  };
}
