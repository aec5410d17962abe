import type { Command } from "commander";
import { SERVER_HELP, serverOption } from "../server.js";
import { runScrub, type ScrubArguments } from "./command.js";

const HELP = `
Without --start it says how far the pass is that is under way, or how the last one ended, and what is wrong
still. --json writes what GET /api/v1/scrub gives.
${SERVER_HELP}

Exit code: 0 nothing is wrong; 1 bytes are lost that nothing gives back, something lies in a store that is
none of Sluice's, or the pass has halted; 2 wrong usage; 3 the server does not answer or refuses, as where a
pass is under way already, or a fault of Sluice.
`;

/** `sluice scrub` */
export function addScrubCommand(
  program: Command,
  onEnd: (code: Promise<number>) => Promise<void>,
): void {
  program
    .command("scrub")
    .description("Whether what a server has stored is whole; reads all of it again.")
    .option("--start", "begin a pass now")
    .option("--trusted", "with --start: repair whatever is gone; for after a pass that has halted")
    .option("--wait", "until the pass is over, or has halted; says how far it is meanwhile")
    .option("--json", "as JSON")
    .addOption(serverOption())
    .addHelpText("after", HELP)
    .action((options: ScrubArguments) => onEnd(runScrub(options)));
}
