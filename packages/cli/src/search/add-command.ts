import { SEARCH_PLACES } from "@sluice/contracts";
import { type Command, InvalidArgumentError } from "commander";
import { SERVER_HELP, serverOption } from "../server.js";
import { runSearch, type SearchArguments } from "./command.js";

const HELP = `
A query is free text and terms such as import:requests, function:parse*, state:ready, capability:network,
namespace:team/* or -name:test, all of which must hold; its words are joined by blanks. Text with a colon
stands in quotes of its own: '"a: b"'. Behind -- a query may begin with a minus.

A line for each line with hits: namespace/filename:line:column: text. Where there is none, such as for a
hit in the name, namespace/filename alone. --json writes a line for each script, as GET /api/v1/search
gives it.
${SERVER_HELP}

Exit code, as grep's: 0 something was found; 1 nothing was; 2 wrong usage, a wrong query, a server that does
not answer, or scripts that took too long to look at. 3 a fault of Sluice, 141 where nobody reads the output
any more.
`;

/** `sluice search` */
export function addSearchCommand(
  program: Command,
  say: (line: string) => void,
  onEnd: (code: Promise<number>) => Promise<void>,
): void {
  program
    .command("search")
    .description("Finds scripts on a server by names, content, and what is in them.")
    .argument("<query...>", "what to search for")
    .option("-s, --case-sensitive", "upper and lower case are different")
    .option("-w, --word", "only whole words")
    .option("-E, --regex", "text is a regular expression, in RE2's syntax")
    .option("--in <places>", `where text is looked for: ${SEARCH_PLACES.join(", ")}`, places)
    .option("--limit <number>", "scripts at most (default: all)", limit)
    .option("--cursor <cursor>", "go on where a search with --limit has stopped")
    .option("--json", "a line of JSON for each script")
    .addOption(serverOption())
    .addHelpText("after", HELP)
    .action((query: string[], options: SearchArguments) =>
      onEnd(runSearch(query.join(" "), options, say)),
    );
}

function places(text: string): string {
  for (const place of text.split(",")) {
    if (!(SEARCH_PLACES as readonly string[]).includes(place))
      throw new InvalidArgumentError(
        `It must be one of ${SEARCH_PLACES.join(", ")}, or several with commas between.`,
      );
  }
  return text;
}

function limit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}
