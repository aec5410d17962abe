/**
 * Brings a checkout to where its code can run: the right Node, the dependencies of package-lock.json,
 * and built packages. Plain JavaScript that needs nothing but Node, because it runs before all else.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the checkout. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Something that is missing or broken outside this code; the message is one line that says what to do. */
export class SetupError extends Error {
  name = "SetupError";
}

/**
 * Installs the dependencies if node_modules is missing or is not what package-lock.json asks for.
 *
 * @param {{say?: (line: string) => void}} [options] - where progress goes; standard error if not said
 * @returns {Promise<boolean>} whether anything was installed
 * @throws {SetupError} Node too old, no npm, no network, …
 */
export async function ensureInstalled({ say = sayOnStderr } = {}) {
  checkNode();
  if (isInstalled()) return false;
  say("installing dependencies (npm ci) …");
  // NODE_ENV=production would leave out the compiler.
  const args = ["ci", "--include=dev", "--prefer-offline", "--no-audit", "--no-fund"];
  const { code, output } = await runNpm(args);
  if (code !== 0) throw new SetupError(explainNpm(code, output));
  if (!isInstalled()) {
    throw new SetupError(
      "npm ci ended well, yet node_modules is not what package-lock.json asks for; run it by hand to see why",
    );
  }
  return true;
}

/**
 * Compiles every package and service, but not the tests: vitest and tsx run those from source. What is
 * up to date costs a second.
 *
 * @param {string[]} [projects] - paths of those that are wanted, which bring what they refer to; all if not said
 * @throws {SetupError} it does not compile; the compiler's words are in the message
 */
export async function ensureBuilt(projects = everyProject()) {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { code, output } = await run(process.execPath, [tsc, "-b", ...projects]);
  if (code !== 0) throw new SetupError(`the build failed (tsc -b):\n${output.trimEnd()}`);
}

function everyProject() {
  const projects = readJson("tsconfig.json").references.map(({ path }) => path);
  return projects.filter((path) => path !== "test");
}

/**
 * Runs a script's main function; a {@link SetupError} ends the process with its message alone.
 *
 * @param {() => Promise<void>} main
 */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    sayOnStderr(error.message);
    process.exitCode = 1;
  }
}

function sayOnStderr(line) {
  process.stderr.write(`sluice: ${line}\n`);
}

function checkNode() {
  const { engines } = readJson("package.json");
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node);
  const [haveMajor, haveMinor] = process.versions.node.split(".").map(Number);
  const enough =
    haveMajor > Number(major) || (haveMajor === Number(major) && haveMinor >= Number(minor));
  if (!enough) {
    throw new SetupError(
      `Node ${major}.${minor} or later is needed, this is ${process.versions.node}`,
    );
  }
}

/** npm leaves a list of what it installed in node_modules, written last: it is compared with the lock file. */
function isInstalled() {
  const listPath = join("node_modules", ".package-lock.json");
  if (!existsSync(join(ROOT, listPath))) return false;
  const wanted = readJson("package-lock.json").packages;
  const installed = readJson(listPath).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith("node_modules/") && !path.includes("/node_modules/")) return true;
    const found = installed[path];
    // Optional packages are those of other platforms, too.
    if (found === undefined) return entry.optional === true;
    return (
      found.version === entry.version && found.integrity === entry.integrity && runsHere(found)
    );
  });
}

/** False for a binary package of another platform: somebody copied or mounted this node_modules. */
function runsHere({ os, cpu }) {
  const fits = (names, name) =>
    names === undefined ||
    names.includes(name) ||
    (names[0].startsWith("!") && !names.includes(`!${name}`));
  return fits(os, process.platform) && fits(cpu, process.arch);
}

function readJson(path) {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8"));
}

function runNpm(args) {
  // Under `npm start` and `npm test` npm says where it is itself.
  const npm = process.env.npm_execpath;
  if (npm !== undefined && basename(npm) === "npm-cli.js" && existsSync(npm)) {
    return run(process.execPath, [npm, ...args]);
  }
  // On Windows npm is a .cmd file, which only a shell runs.
  return run("npm", args, { shell: process.platform === "win32" });
}

function explainNpm(code, output) {
  if (
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED)\b/.test(
      output,
    )
  ) {
    return "npm ci could not reach its registry, and its cache lacks something: is there a network?";
  }
  if (/\b(EACCES|EPERM|EROFS)\b/.test(output)) {
    return `npm ci may not write to ${join(ROOT, "node_modules")}: who owns it?`;
  }
  if (/\bENOSPC\b/.test(output)) return "npm ci ran out of disk space";
  if (/\bcode EUSAGE\b/.test(output)) {
    return "package-lock.json does not fit the package.json files: run npm install, and commit both";
  }
  const said = output.split("\n").filter((line) => /^npm error (?!A complete log)\S/.test(line));
  return `npm ci failed (exit code ${code}):\n${said.slice(0, 8).join("\n")}`;
}

/** Runs a program to its end; resolves with its exit code and all it printed. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", (error) => {
      reject(
        error.code === "ENOENT"
          ? new SetupError(`${basename(command)} was not found: install it (npm comes with Node)`)
          : error,
      );
    });
    child.on("close", (code, signal) => resolve({ code: code ?? signal, output }));
  });
}
