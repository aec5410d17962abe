/** Which Python judges: the one that comes with this package, or one that an operator names. */
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";
import { ANALYSER_VERSION, PYTHON_VERSION } from "../version.js";
import { killGroup, NativeEngine, NotStarted } from "./native-engine.js";

/** A CPython whose word a verdict is. */
export interface Python {
  /** Absolute path of the program; `undefined` for the built-in one, which is Pyodide. */
  readonly path: string | undefined;
  /** Such as `3.14.2`. */
  readonly version: string;
  /**
   * Which analyser together with which Python a result came from: what may be reused where it is the same. That of the built-in
   * one is {@link ANALYSER_VERSION}, that of another one such as `1+cpython3.11.7`.
   */
  readonly analyserVersion: string;
}

export const BUILT_IN_PYTHON: Python = {
  path: undefined,
  version: PYTHON_VERSION,
  analyserVersion: ANALYSER_VERSION,
};

/** What is named as Python cannot be used. The message goes on from the name of the setting: `is …`, `does not …`. */
export class PythonError extends Error {
  override readonly name = "PythonError";
}

/** The first whose parser is much like today's, and whose words are. */
const OLDEST: readonly [number, number] = [3, 8];
/** Only to see what it says: the limits are there, and far away. */
const BUDGET = { timeoutMs: 10_000, memoryBytes: 268_435_456 };
const VERSION_TIMEOUT_MS = 5_000;

export interface FindPythonOptions {
  /** How long it may take to start, in milliseconds. */
  readonly startTimeoutMs?: number | undefined;
}

/**
 * Starts an interpreter once, as it will be started to judge, and asks which one it is.
 *
 * @param name - a path, or a name that is looked up on PATH; `undefined` for the built-in one
 * @throws {@link PythonError} where it is missing, not CPython, too old, or does not start
 */
export async function findPython(
  name: string | undefined,
  { startTimeoutMs }: FindPythonOptions = {},
): Promise<Python> {
  if (name === undefined) return BUILT_IN_PYTHON;
  const path = locate(name);
  let engine: NativeEngine;
  try {
    engine = await NativeEngine.start({ path, budget: BUDGET, startTimeoutMs });
  } catch (error) {
    if (!(error instanceof NotStarted)) throw error;
    const version = error.ended ? await claimedVersion(path) : undefined;
    if (version !== undefined && isTooOld(versionInfo(version))) throw tooOld(path, version);
    throw new PythonError(`is ${path}, which is no Python that can be used: it ${error.message}`);
  }
  const { implementation, version, version_info: info } = engine.greeting;
  await engine.close();
  if (implementation !== "cpython")
    throw new PythonError(`is ${path}, which is ${implementation} ${version} and not CPython`);
  if (isTooOld(info)) throw tooOld(path, version);
  return { path, version, analyserVersion: `${ANALYSER_VERSION}+cpython${version}` };
}

function tooOld(path: string, version: string): PythonError {
  return new PythonError(
    `is ${path}, which is Python ${version}: ${OLDEST.join(".")} or later is needed`,
  );
}

function isTooOld([major, minor]: readonly [number, number]): boolean {
  return major !== OLDEST[0] ? major < OLDEST[0] : minor < OLDEST[1];
}

function versionInfo(version: string): [number, number] {
  const [major, minor] = version.split(".").map((part) => Number.parseInt(part, 10));
  return [major ?? 0, minor ?? 0];
}

/** The child's environment is empty, so that names are looked up here. */
function locate(name: string): string {
  if (name.includes(sep)) {
    const path = resolve(name);
    if (isProgram(path)) return path;
    throw new PythonError(`is ${path}, which is no program that can be run`);
  }
  const directories = (process.env["PATH"] ?? "").split(delimiter).filter((each) => each !== "");
  const path = directories.map((directory) => resolve(join(directory, name))).find(isProgram);
  if (path !== undefined) return path;
  throw new PythonError(`is ${JSON.stringify(name)}, which is not on PATH`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What `-V` says of programs that are too old for anything else. @returns `undefined` where it is no Python's answer */
function claimedVersion(path: string): Promise<string | undefined> {
  return new Promise((resolveVersion) => {
    const child = spawn(path, ["-V"], {
      env: {},
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const timer = setTimeout(() => killGroup(child), VERSION_TIMEOUT_MS);
    let said = "";
    // Python 2 says it on standard error.
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        if (said.length < 100) said += text;
      });
    child.once("error", () => {});
    child.once("close", () => {
      clearTimeout(timer);
      resolveVersion(/^Python (\d+\.\d+\S*)/.exec(said)?.[1]);
    });
  });
}
