import { type Command, Option } from "commander";
import { SERVER_HELP, type ServerArguments, serverOption } from "../server.js";
import {
  type ApplyArguments,
  applyPolicy,
  checkPolicy,
  type DryRunArguments,
  dryRunPolicy,
  showPolicy,
} from "./commands.js";

const EXIT_CODES = `
Exit code: 0 the policy is right, and nothing would change; 1 it has mistakes, or a dry run says that
something would change; 2 wrong usage, or a file that cannot be read; 3 the server does not answer or
refuses, or a fault of Sluice.
`;

/** `sluice policy …` */
export function addPolicyCommands(
  program: Command,
  onEnd: (code: Promise<number>) => Promise<void>,
): void {
  const policy = program
    .command("policy")
    .description(
      "What scripts are judged by: checked here, tried out and put in force on a server.",
    )
    .addHelpText("after", SERVER_HELP)
    .addHelpText("afterAll", EXIT_CODES);
  policy
    .command("check")
    .description("Every mistake in a policy, by its path. Needs no server.")
    .argument("<file>", "policy in YAML or JSON")
    .action((file: string) => onEnd(checkPolicy(file)));
  policy
    .command("show")
    .description("The policy in force on a server, and how far what is stored stands by it.")
    .addOption(serverOption())
    .addHelpText("after", SERVER_HELP)
    .action((options: ServerArguments) => onEnd(showPolicy(options)));
  policy
    .command("dry-run")
    .description("Which stored scripts would change state by a policy, and why. Changes nothing.")
    .argument("<file>", "policy in YAML or JSON")
    .addOption(serverOption())
    .addOption(
      new Option("--format <format>", "how to write what is found")
        .choices(["text", "json"])
        .default("text"),
    )
    .addHelpText("after", SERVER_HELP)
    .action((file: string, options: DryRunArguments) => onEnd(dryRunPolicy(file, options)));
  policy
    .command("apply")
    .description("Puts a policy in force on a server.")
    .argument("<file>", "policy in YAML or JSON")
    .addOption(serverOption())
    .option("--wait", "until all that is stored stands by it")
    .addHelpText("after", SERVER_HELP)
    .action((file: string, options: ApplyArguments) => onEnd(applyPolicy(file, options)));
}
