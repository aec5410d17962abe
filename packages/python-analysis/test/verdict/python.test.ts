import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { BUILT_IN_PYTHON, findPython, PythonError } from "../../src/verdict/python.js";
import { ANALYSER_VERSION, PYTHON_VERSION } from "../../src/version.js";
import { describeNative, judgesOf } from "../native-python.js";

const directory = mkdtempSync(join(tmpdir(), "sluice-python-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Writes a program of its own; `#!/bin/sh` unless it says otherwise. */
function program(name: string, body: string, mode = 0o755): string {
  const path = join(directory, name);
  writeFileSync(path, body.startsWith("#!") ? body : `#!/bin/sh\n${body}\n`);
  chmodSync(path, mode);
  return path;
}

const greeting = (said: string): string =>
  // printf of the shell knows octal only.
  `printf '\\0\\0\\0\\${said.length.toString(8)}%s' '${said}'; cat >/dev/null`;

async function refusal(name: string): Promise<string> {
  const error: unknown = await findPython(name, { startTimeoutMs: 3_000 }).catch((each) => each);
  expect(error).toBeInstanceOf(PythonError);
  const { message } = error as PythonError;
  expect(message).not.toContain("\n");
  return message;
}

test("no name is the built-in one", async () => {
  expect(await findPython(undefined)).toBe(BUILT_IN_PYTHON);
  expect(BUILT_IN_PYTHON).toEqual({
    path: undefined,
    version: PYTHON_VERSION,
    analyserVersion: ANALYSER_VERSION,
  });
});

describe("what cannot judge is named, and why", () => {
  test.each<[what: string, name: () => string, why: RegExp]>([
    ["a missing file", () => join(directory, "none"), /none, which is no program that can be run$/],
    ["a directory", () => directory, /, which is no program that can be run$/],
    [
      "a name that is not on PATH",
      () => "no-such-python",
      /^is "no-such-python", which is not on PATH$/,
    ],
    [
      "a program that is no Python",
      () => program("echo", "echo I am no Python"),
      /it does not answer as Python does$/,
    ],
    [
      "one that prints and stays",
      () => program("stay", "echo nonsense; sleep 1000"),
      /it does not answer as Python does$/,
    ],
    [
      "one that says too little and stays",
      () => program("less", "printf x; sleep 1000"),
      /it says nothing for 3 s$/,
    ],
    ["one that hangs", () => program("hang", "sleep 1000"), /it says nothing for 3 s$/],
    ["one that ends at once", () => program("end", "exit 3"), /it ends at once \(exit code 3\)$/],
    [
      "one that says why it ends",
      () => program("why", "echo first >&2; echo no libpython >&2; exit 127"),
      /it ends at once \(exit code 127\): no libpython$/,
    ],
    ["one that dies", () => program("die", "kill -ABRT $$"), /it ends at once \(SIGABRT\)$/],
    [
      "what is no program at all",
      () => program("text", "#!/no/such/interpreter\n"),
      /it cannot be run \(ENOENT\)$/,
    ],
    [
      "an answer that is no JSON",
      () => program("text-frame", greeting("[[[")),
      /it does not answer as Python does$/,
    ],
    [
      "an answer of another shape",
      () => program("null-frame", greeting("null")),
      /it does not answer as Python does$/,
    ],
    [
      "Python 2",
      () =>
        program(
          "python2",
          'if [ "$1" = -V ]; then echo Python 2.7.18 >&2; else echo Unknown option: -I >&2; exit 2; fi',
        ),
      /python2, which is Python 2\.7\.18: 3\.8 or later is needed$/,
    ],
    [
      "Python 3.7",
      () =>
        program(
          "python37",
          greeting('{"implementation":"cpython","version":"3.7.16","version_info":[3,7]}'),
        ),
      /python37, which is Python 3\.7\.16: 3\.8 or later is needed$/,
    ],
    [
      "another implementation",
      () =>
        program(
          "pypy",
          greeting('{"implementation":"pypy","version":"3.11.13","version_info":[3,11]}'),
        ),
      /pypy, which is pypy 3\.11\.13 and not CPython$/,
    ],
  ])("%s", async (_what, name, why) => {
    expect(await refusal(name())).toMatch(why);
  });

  test("a file that may not be executed", async () => {
    expect(await refusal(program("plain", "exit 0", 0o644))).toMatch(/no program that can be run$/);
  });
});

describeNative("the one on PATH", (python) => {
  test("is found by name, by path and by relative path, and nothing of the search is left", async () => {
    expect(python.path).toMatch(/^\//);
    expect(python.version).toMatch(/^3\.\d+\.\d+/);
    expect(python.analyserVersion).toBe(`${ANALYSER_VERSION}+cpython${python.version}`);
    expect((await findPython("python3")).version).toBe(python.version);
    expect(await findPython(python.path)).toEqual(python);
    expect(await findPython(relative(process.cwd(), python.path!))).toEqual(python);
    if (process.platform === "linux") expect(judgesOf(process.pid)).toEqual([]);
  });

  test("may stand behind a wrapper", async () => {
    const path = program("wrapper", `exec '${python.path}' "$@"`);
    expect(await findPython(path)).toEqual({ ...python, path });
  });
});
