import { relative } from "node:path";
import { findPython, loadPolicy } from "@sluice/python-analysis";
import {
  createLog,
  loadSettings,
  resolveSetting,
  type Settings,
  SettingsError,
} from "@sluice/runtime";
import { helpText } from "./help.js";
import { Sluice } from "./sluice.js";
import { messageOf, StartError } from "./start-error.js";

/** Signals that follow the first one sooner are the same one: npm hands on what the terminal sent to all. */
const SAME_SIGNAL_MS = 1_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(message: string): void {
  process.stderr.write(`sluice: ${message}\n`);
}

/**
 * `npm start`: runs until it is told to stop by SIGINT or SIGTERM.
 *
 * @param args - arguments of the command line
 * @returns the exit code: 0 stopped in order, 1 could not start or had to be killed, 2 wrong settings or usage
 */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(helpText());
    return 0;
  }
  if (args.length > 0) {
    fail(
      `unknown argument ${args[0]}: settings come from the environment, see npm start -- --help`,
    );
    return 2;
  }
  let settings: Settings;
  try {
    settings = loadSettings(env);
    const { pythonBin } = settings;
    await resolveSetting("PYTHON_BIN", () => findPython(pythonBin));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    fail(error.message);
    return 2;
  }
  // Whoever read the output may have gone; that is no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  return run(settings);
}

async function run(settings: Settings): Promise<number> {
  try {
    await loadPolicy(settings.policyFile);
  } catch (error) {
    fail(
      `the policy ${settings.policyFile} (POLICY_FILE) cannot be used: ${messageOf(error).replaceAll("\n", "; ")}`,
    );
    return 2;
  }
  const sluice = new Sluice(settings, createLog("standalone", settings), say);
  const stopping = stopOnSignal(sluice);
  let failure: string | undefined;
  let orderly: boolean;
  try {
    say("Starting Sluice …");
    const url = await Promise.race([sluice.start(), stopping]);
    if (url !== undefined) {
      const data = relative(process.cwd(), settings.dataDir);
      const shown = data.startsWith("..") ? settings.dataDir : `./${data}`;
      say(`Sluice is ready: ${url}  (docs at /docs, data in ${shown})`);
      await stopping;
    }
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    failure = error.message;
  } finally {
    orderly = await sluice.stop();
  }
  if (failure !== undefined) {
    fail(failure);
    return 1;
  }
  say(orderly ? "Sluice has stopped." : "Sluice has stopped; what did not end in time was killed.");
  return orderly ? 0 : 1;
}

/** @returns a promise for the first signal */
function stopOnSignal(sluice: Sluice): Promise<undefined> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstAt === undefined) {
        firstAt = Date.now();
        say(`Stopping (${signal}); once more to stop at once …`);
        resolve(undefined);
      } else if (Date.now() - firstAt > SAME_SIGNAL_MS) {
        say("Stopping at once.");
        sluice.kill();
      }
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  });
}
