import { type Command, Option } from "commander";
import { SERVER_HELP, type ServerArguments, serverOption } from "../server.js";
import {
  applyRetention,
  checkRetention,
  dryRunRetention,
  type RetentionDryRunArguments,
  showRetention,
} from "./commands.js";

const EXIT_CODES = `
Exit code: 0 the policy is right, and nothing would go; 1 it has mistakes, or a dry run says that something
would go; 2 wrong usage, or a file that cannot be read; 3 the server does not answer or refuses, or a fault
of Sluice.
`;

/** `sluice retention …` */
export function addRetentionCommands(
  program: Command,
  onEnd: (code: Promise<number>) => Promise<void>,
): void {
  const retention = program
    .command("retention")
    .description("How long scripts are kept: checked here, tried out and put in force on a server.")
    .addHelpText("after", SERVER_HELP)
    .addHelpText("afterAll", EXIT_CODES);
  retention
    .command("check")
    .description("Every mistake in a retention policy, with its place. Needs no server.")
    .argument("<file>", "policy in YAML or JSON")
    .action((file: string) => onEnd(checkRetention(file)));
  retention
    .command("show")
    .description(
      "The policy in force on a server, what its last round did, and whether it is paused.",
    )
    .addOption(serverOption())
    .addHelpText("after", SERVER_HELP)
    .action((options: ServerArguments) => onEnd(showRetention(options)));
  retention
    .command("dry-run")
    .description(
      "What would be deleted and archived by a policy, and how much it frees. Changes nothing.",
    )
    .argument("<file>", "policy in YAML or JSON")
    .addOption(serverOption())
    .addOption(
      new Option("--format <format>", "how to write what is found")
        .choices(["text", "json"])
        .default("text"),
    )
    .addHelpText("after", SERVER_HELP)
    .action((file: string, options: RetentionDryRunArguments) =>
      onEnd(dryRunRetention(file, options)),
    );
  retention
    .command("apply")
    .description("Puts a retention policy in force on a server; the next round goes by it.")
    .argument("<file>", "policy in YAML or JSON")
    .addOption(serverOption())
    .addHelpText("after", SERVER_HELP)
    .action((file: string, options: ServerArguments) => onEnd(applyRetention(file, options)));
}
