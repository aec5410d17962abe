import { type Command, InvalidArgumentError } from "commander";
import {
  type RebuildArguments,
  type RestoreArguments,
  runRebuild,
  runRestore,
  runVerify,
  type VerifyArguments,
} from "./commands.js";

const RESTORE_HELP = `
The target is what the settings of the environment name, as for npm start: CATALOG_URL, OBJECT_STORE_URL,
BACKUP_URL, or what is embedded in SLUICE_DATA. Sluice must not run on it. It must be empty; nothing is
overwritten. Stopped or killed, the same command goes on where it stopped; until it is over, Sluice refuses
to start on the target.

With --script, what the export has of one script and the installation has not comes back: the script (deleted
or purged), versions of it, bytes that are gone or damaged. Nothing that is there is changed. Sluice may run.

Exit code: 0 everything is restored; 1 the export or copies are damaged or lost (each is named); 2 wrong
usage, a target that is refused, or no key; 3 a store does not answer, or a fault of Sluice. 130 after Ctrl-C.
`;

const REBUILD_HELP = `
For when the catalog is lost and the backup store, its key or an undamaged export too. Names, versions, what people
said and decided come from the register in the object store; all bytes are analysed again once Sluice is started.
The catalog that CATALOG_URL names must be empty; the object store is only read, but for bytes that the backup
store has and it has not. Stopped or killed, the same command goes on where it stopped.

Exit code: 0 everything is there; 1 the register is damaged, or bytes are lost (each is named); 2 wrong usage, or a
catalog that is refused; 3 a store does not answer, or a fault of Sluice. 130 after Ctrl-C.
`;

const VERIFY_HELP = `
Reads the newest export and all that it rests on back, looks for a copy of every blob that a version needs, and reads
some of them back, or all. Needs nothing but the backup store; Sluice may run.

Exit code: 0 everything is there and whole; 1 something is damaged or lost (each is named); 2 wrong usage, no
export, or no key; 3 the store does not answer, or a fault of Sluice. 130 after Ctrl-C.
`;

/** `sluice restore`, `sluice rebuild` and `sluice backup verify`. */
export function addRecoveryCommands(
  program: Command,
  say: (line: string) => void,
  onEnd: (code: Promise<number>) => Promise<void>,
): void {
  program
    .command("restore")
    .description("Makes catalog and objects again from the backup store, in an empty installation.")
    .option("--from <url>", "the backup store to restore from (default: BACKUP_URL)")
    .option("--key-file <file>", "keys of the exports, beside BACKUP_KEY: one a line, in base64")
    .option("--export <id>", "the export to restore (default: the newest)")
    .option(
      "--keep-objects",
      "the object store may have objects: only what is missing is put there",
    )
    .option("--objects-only", "the catalog is whole: only put missing objects back")
    .option("--allow-missing", "go on without bytes that the backup store has lost")
    .option("--script <id>", "bring back this one script, into an installation that may run")
    .option("--at <time>", "of the script: as it was at the newest export until then")
    .option("--filename <name>", "of the script: the name that it comes back under")
    .addHelpText("after", RESTORE_HELP)
    .action((options: RestoreArguments) => onEnd(runRestore(options, say)));
  program
    .command("rebuild")
    .description("Makes the catalog again from the object store alone.")
    .option("--ignore-register", "names come only from what lies beside the bytes")
    .addHelpText("after", REBUILD_HELP)
    .action((options: RebuildArguments) => onEnd(runRebuild(options, say)));
  program
    .command("backup")
    .description("What the backup store has.")
    .command("verify")
    .description("Whether the backup store could give everything back.")
    .option("--from <url>", "the backup store (default: BACKUP_URL)")
    .option("--key-file <file>", "keys of the exports, beside BACKUP_KEY: one a line, in base64")
    .option("--sample <number>", "blobs that are read back, taken at random (default: 1000)", count)
    .option("--all", "read every blob back")
    .addHelpText("after", VERIFY_HELP)
    .action((options: VerifyArguments) => onEnd(runVerify(options, say)));
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
