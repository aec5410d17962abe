/** `sluice search`: page by page what a server finds, as grep would write it. */
import { setTimeout as sleep } from "node:timers/promises";
import { searchResults, type SearchResults } from "@sluice/contracts";
import { createStyle } from "@sluice/report-formats";
import { wantsColour } from "../colour.js";
import { Output } from "../output.js";
import { Server, type ServerArguments, ServerError } from "../server.js";
import { renderItem } from "./render.js";

export interface SearchArguments extends ServerArguments {
  readonly caseSensitive?: boolean;
  readonly word?: boolean;
  readonly regex?: boolean;
  readonly in?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

const FOUND = 0;
const NOTHING = 1;
const TROUBLE = 2;

const LARGEST_PAGE = 100;
const BUSY_ATTEMPTS = 10;
const BUSY_PAUSE_MS = 1_000;

/** @returns the exit code */
export async function runSearch(
  query: string,
  options: SearchArguments,
  say: (line: string) => void,
): Promise<number> {
  const server = new Server(options.server, process.env);
  const output = new Output(process.stdout);
  const style = createStyle(wantsColour(process.env, process.stdout.isTTY));
  let left = options.limit ?? Infinity;
  let cursor = options.cursor ?? null;
  let found = 0;
  let passedOver = 0;
  try {
    do {
      const page = await readPage(server, query, { ...options, limit: left }, cursor);
      for (const item of page.items)
        await output.write(options.json ? `${JSON.stringify(item)}\n` : renderItem(item, style));
      found += page.items.length;
      left -= page.items.length;
      passedOver += page.passed_over;
      cursor = page.next_cursor;
    } while (cursor !== null && left > 0);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    say(error.message);
    return TROUBLE;
  }
  if (cursor !== null) say(`there may be more; to go on: --cursor ${cursor}`);
  if (passedOver > 0) {
    say(`${passedOver} scripts took too long to look at, and were passed over`);
    return TROUBLE;
  }
  return found > 0 ? FOUND : NOTHING;
}

async function readPage(
  server: Server,
  query: string,
  options: SearchArguments & { readonly limit: number },
  cursor: string | null,
): Promise<SearchResults> {
  const asked = new URLSearchParams({
    q: query,
    limit: String(Math.min(options.limit, LARGEST_PAGE)),
    ...(options.caseSensitive ? { case: "true" } : {}),
    ...(options.word ? { word: "true" } : {}),
    ...(options.regex ? { regex: "true" } : {}),
    ...(options.in === undefined ? {} : { in: options.in }),
    ...(cursor === null ? {} : { cursor }),
  });
  for (let attempt = 1; ; attempt++) {
    try {
      return (await server.send(`/search?${asked.toString()}`, {}, searchResults)).body;
    } catch (error) {
      const isBusy = error instanceof ServerError && error.problem?.code === "search_overloaded";
      if (!isBusy || attempt === BUSY_ATTEMPTS) throw error;
      await sleep(BUSY_PAUSE_MS);
    }
  }
}
