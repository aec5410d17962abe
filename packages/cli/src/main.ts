import { readFileSync } from "node:fs";
import { TOOL_PROFILES } from "@sluice/contracts";
import { ANALYSER_VERSION, PYTHON_VERSION } from "@sluice/python-analysis";
import { visible } from "@sluice/report-formats";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type AnalyseArguments, runAnalyse } from "./command.js";
import { describeError } from "./describe-error.js";
import { FORMATS } from "./format.js";
import { OutputClosed } from "./output.js";
import { addPolicyCommands } from "./policy/add-commands.js";
import { addRecoveryCommands } from "./recovery/add-commands.js";
import { addRetentionCommands } from "./retention/add-commands.js";
import { addScrubCommand } from "./scrub/add-command.js";
import { addSearchCommand } from "./search/add-command.js";
import { ServerError } from "./server.js";
import { UsageError } from "./usage-error.js";

const EXIT = {
  usage: 2,
  fault: 3,
  /** What a shell gives to a program that SIGPIPE ended. */
  outputClosed: 141,
} as const;

const MOST_THREADS = 256;

const ANALYSE_HELP = `
A directory stands for the .py and .pyw files in it and below, in the order of their names, without
what is hidden, __pycache__, node_modules, virtual environments and symbolic links to directories.
A file that is named is read whatever its name is; - is standard input. More than 10 MB is not read.

Formats:
  text    for people: the verdict, findings with the source, capabilities, functions and tools
  ndjson  a line for each file, in the order given, as soon as it and all before it are done:
          {"file", "report", "metadata"}. report is as GET /api/v1/scripts/{id}/report gives it, and
          metadata as GET …/metadata does, without what only an upload has. metadata is null where
          the report's verdict is "invalid", or where it has the finding that the script killed the
          parser. What cannot be read has null for both, and "error": {"code", "message"}.
  json    one array of the same objects
  sarif   SARIF 2.1.0: one run over all files, with a result for each finding and for each place where a
          capability is used that needs approval or is refused

Exit code: 0 all are valid and allowed; 1 some are not, or could not be read; 2 wrong usage, list,
policy, rules or Python; 3 a fault of Sluice. 130 after Ctrl-C, 141 where nobody reads the output any more.

PYTHON_BIN names the CPython (3.8 or later) that judges, a path or a name on PATH; else it is the
built-in one, ${PYTHON_VERSION}.

Colour is for terminals; NO_COLOR and FORCE_COLOR are heard.
`;

/**
 * The command line.
 *
 * @param args - without the program's name
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`sluice: ${line}\n`);
  // Whoever listened may have gone; that is no reason to fail.
  if (process.stderr.listenerCount("error") === 0) process.stderr.on("error", () => {});
  let code = 0;
  const program = createProgram(say, async (ending) => {
    code = await ending;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    // Commander has said what there is to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    if (error instanceof OutputClosed) return EXIT.outputClosed;
    if (error instanceof UsageError) {
      say(error.message);
      return EXIT.usage;
    }
    say(error instanceof ServerError ? error.message : describeError(error));
    return EXIT.fault;
  }
}

function createProgram(
  say: (line: string) => void,
  onEnd: (code: Promise<number>) => Promise<void>,
): Command {
  const program = new Command("sluice")
    .description(
      "Says what Python scripts are; asks and directs a running Sluice; restores one. Never runs a script.",
    )
    .version(versionText(), "-V, --version")
    .exitOverride()
    .configureOutput({
      // A suggestion stands on a line of its own.
      outputError: (text) =>
        say(
          visible(
            text
              .trim()
              .replace(/^error: /, "")
              .replace(/\n(?=\()/, " "),
          ),
        ),
    });
  program
    .command("analyse")
    .description(
      "Verdict, findings, capabilities, functions and MCP tools of scripts. Needs no server.",
    )
    .argument("[file...]", "scripts, or directories of them")
    .addOption(
      new Option("--format <format>", "how to write what is found")
        .choices(FORMATS)
        .default("text"),
    )
    .addOption(
      new Option("--profile <profile>", "runtime that tools are described for")
        .choices(TOOL_PROFILES)
        .default("fastmcp"),
    )
    .option("--policy <file>", "judge by this policy, in YAML or JSON, instead of Sluice's own")
    .option("--rules <path>", "scan for these YARA rules too: a file, or a directory of .yar files")
    .option("--namespace <namespace>", "as if the scripts were uploaded to it", "default")
    .option(
      "--files-from <list>",
      "also the files named in this list, one a line; - is standard input",
    )
    .option("-0, --null", "the list's names are separated by NUL, as find -print0 writes them")
    .option(
      "--threads <number>",
      "scripts analysed at once (default: by cores and memory)",
      threads,
    )
    .addHelpText("after", ANALYSE_HELP)
    .action((files: string[], options: AnalyseArguments) => onEnd(runAnalyse(files, options, say)));
  addSearchCommand(program, say, onEnd);
  addPolicyCommands(program, onEnd);
  addRetentionCommands(program, onEnd);
  addScrubCommand(program, onEnd);
  addRecoveryCommands(program, say, onEnd);
  return program;
}

function threads(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > MOST_THREADS)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_THREADS}.`);
  return number;
}

function versionText(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  return `${version} (analyser ${ANALYSER_VERSION}, Python ${PYTHON_VERSION})`;
}
