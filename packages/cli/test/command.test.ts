import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Log } from "sarif";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Entry } from "../src/entry.js";
import { main } from "../src/main.js";
import {
  ended,
  type Ended,
  entriesOf,
  LONG_MS,
  PROGRAM,
  scratchDirectory,
  sluice,
  start,
} from "./sluice.js";

vi.setConfig({ testTimeout: LONG_MS, hookTimeout: LONG_MS });

const directory = scratchDirectory();
const at = (...path: string[]) => join(directory, ...path);

/** Threads take their time to start. */
const ONE = ["--threads", "1"];

const GOOD = 'def add(a: int, b: int = 1) -> int:\n    """Add two numbers."""\n    return a + b\n';
/** Takes CPython as long as a script may take, and more. */
const BOMB = `f(${Array.from({ length: 60_000 }, (_, i) => `a${i}=1`).join()})\n`;

beforeAll(async () => {
  // Where something is not built, the first to run says so.
  await sluice(["--version"]);
  writeFileSync(at("good.py"), GOOD);
  writeFileSync(at("bad.py"), "x = 1\nif x\n");
  mkdirSync(at("empty"));
});

describe("files of every kind", () => {
  const SOURCES: Readonly<Record<string, string | Buffer>> = {
    "bom.py": "\ufeffx = 1\n",
    "bidi.py": "# \u202e hidden\nx = 1\n",
    "brackets.py": "[".repeat(200_000),
    "cr.py": "x = 1\ry = (\r",
    "empty.py": "",
    "escape.py": "x = 1\nif x \x1b]0;owned\x07\x1b[2J:\n",
    "latin-1.py": Buffer.from("# coding: latin-1\ndef f(a='\xe9'): 'A \xe9.'\n", "latin1"),
    "long-line.py": `x = "${"a".repeat(10_000_000)}" $\n`,
    "no-utf-8.py": Buffer.from("x = 1\ny = '\xe9\x1b[31m'\n", "latin1"),
    "nul.py": "x = 1\0\n",
    "tabs.py": "def f():\n\tx = '日本'; eval(x)\n",
    "-dash.py": "x = 1\n",
    "new\nline.py": "x = 1\n",
    "\x1b[31mred.py": "x = 1\n",
  };
  const BYTES = Buffer.from("b\xff\xfe.py", "latin1");
  let listed: string[];
  let ndjson: Ended;
  let text: Ended;
  let byFile: Map<string, Entry>;

  beforeAll(async () => {
    mkdirSync(at("kinds"));
    for (const [name, source] of Object.entries(SOURCES)) writeFileSync(at("kinds", name), source);
    writeFileSync(Buffer.concat([Buffer.from(at("kinds/")), BYTES]), "x = 1\n");
    symlinkSync("nowhere", at("kinds", "broken.py"));
    expect(spawnSync("mkfifo", [at("kinds", "fifo.py")]).status).toBe(0);
    writeFileSync(at("kinds", "large.py"), "");
    truncateSync(at("kinds", "large.py"), 2 ** 30);
    const args = ["kinds", "bad.py", "missing.py", "/dev/null", "good.py"];
    [ndjson, text] = [
      await sluice(["analyse", "--format", "ndjson", "--threads", "2", ...args], {
        cwd: directory,
      }),
      await sluice(["analyse", ...args], { cwd: directory }),
    ];
    const entries = entriesOf(ndjson.stdout);
    listed = entries.map(({ file }) => file);
    byFile = new Map(entries.map((entry) => [entry.file.replace(/^kinds\//, ""), entry]));
  });

  test("have a line each that fits the schema, in order, and nothing else is said", () => {
    const bytes = "b\udcff\udcfe.py";
    const names = [...Object.keys(SOURCES), bytes, "broken.py", "fifo.py", "large.py"];
    const inOrder = names.toSorted((a, b) =>
      Buffer.compare(Buffer.from(a.replace(bytes, "b~")), Buffer.from(b.replace(bytes, "b~"))),
    );
    expect(listed).toEqual([
      ...inOrder.map((name) => `kinds/${name}`),
      "bad.py",
      "missing.py",
      "/dev/null",
      "good.py",
    ]);
    expect(ndjson).toMatchObject({ code: 1, signal: null, stderr: "" });
  });

  test.each([
    ["bom.py", "allowed", 0],
    ["brackets.py", "invalid", null],
    ["cr.py", "invalid", null],
    ["empty.py", "allowed", 0],
    ["escape.py", "invalid", null],
    ["latin-1.py", "allowed", 1],
    ["long-line.py", "invalid", null],
    ["no-utf-8.py", "invalid", null],
    ["nul.py", "invalid", null],
    ["tabs.py", "needs_approval", 1],
    ["-dash.py", "allowed", 0],
    ["new\nline.py", "allowed", 0],
    ["b\udcff\udcfe.py", "allowed", 0],
    ["good.py", "allowed", 1],
  ])("%j is %s, with functions: %j", (name, verdict, functions) => {
    const { report, metadata, error } = byFile.get(name)!;
    expect(error).toBeUndefined();
    expect(report?.verdict).toBe(verdict);
    expect(metadata?.functions.length ?? null).toBe(functions);
  });

  test.each([
    ["broken.py", "not-found"],
    ["missing.py", "not-found"],
    ["fifo.py", "not-a-file"],
    ["/dev/null", "not-a-file"],
    ["large.py", "too-large"],
  ])("%j is said to be %s", (name, code) => {
    expect(byFile.get(name)).toMatchObject({ report: null, metadata: null, error: { code } });
  });

  test("are one run as SARIF, with what the other formats say", async () => {
    const args = ["kinds", "bad.py", "missing.py", "/dev/null", "good.py"];
    const sarif = await sluice(["analyse", "--format", "sarif", ...args], { cwd: directory });
    expect(sarif).toMatchObject({ code: 1, stderr: "" });
    const { runs } = JSON.parse(sarif.stdout) as Log;
    const { results = [], artifacts = [], invocations } = runs[0]!;
    const entries = entriesOf(ndjson.stdout);
    expect(runs).toHaveLength(1);
    expect(results.map(({ ruleId }) => ruleId)).toEqual(
      entries.flatMap(({ report }) => [
        ...(report?.findings ?? []).map(({ rule }) => rule),
        ...(report?.capabilities ?? [])
          .filter(({ decision }) => decision !== "allowed")
          .flatMap(({ capability, uses }) => uses.map(() => `capability.${capability}`)),
      ]),
    );
    expect(artifacts).toHaveLength(entries.length);
    expect(artifacts.map(({ location }) => location?.uri)).toEqual(
      expect.arrayContaining([
        "kinds/new%0Aline.py",
        "kinds/%1B%5B31mred.py",
        "kinds/b%FF%FE.py",
        "file:///dev/null",
      ]),
    );
    expect(invocations?.[0]?.toolExecutionNotifications).toHaveLength(
      entries.filter(({ report }) => report === null).length,
    );
  });

  test("have CPython's own words and place", () => {
    expect(byFile.get("cr.py")?.report?.syntax.error).toEqual({
      type: "SyntaxError",
      message: "'(' was never closed",
      line: 2,
      column: 5,
    });
  });

  test("come as text that does nothing to a terminal", () => {
    expect(text).toMatchObject({ code: 1, stderr: "" });
    expect(text.stdout.match(/[^\P{C}\n]/u)).toBeNull();
    expect(text.stdout.length).toBeLessThan(50_000);
    expect(Math.max(...text.stdout.split("\n").map((line) => line.length))).toBeLessThan(400);
    for (const part of [
      "kinds/new\\nline.py: allowed\n",
      "kinds/\\x1b[31mred.py: allowed\n",
      "kinds/b\\udcff\\udcfe.py: allowed\n",
      "if x \\x1b]0;owned\\x07\\x1b[2J:\n",
      "bad.py: invalid\n  error 2:5: SyntaxError: expected ':' [syntax.error]\n",
      "      2 | if x\n        |     ^\n",
      "      2 |     x = '日本'; eval(x)\n        |                 ^^^^^^^\n",
      "missing.py\n  error: no such file or directory\n",
      "good.py: allowed\n  1 function, 1 tool\n      1 add(a: int, b: int = 1) -> int  tool add\n",
    ])
      expect(text.stdout).toContain(part);
    expect(text.stdout).toMatch(
      /\n22 files: 9 allowed, 1 to be approved, 7 invalid, 5 not read\n$/,
    );
  });
});

describe("the exit code", () => {
  test("is 0 where all are valid and allowed", async () => {
    const { code, stdout, stderr } = await sluice(["analyse", ...ONE, "good.py", "-"], {
      cwd: directory,
      input: "x = 1\n",
    });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("\n-: allowed\n\n2 files: 2 allowed\n");
  });

  test("is 0 where there is nothing to analyse", async () => {
    const none = await sluice(["analyse", "--format", "json", "empty", "--files-from", "-"], {
      cwd: directory,
    });
    expect(none).toMatchObject({ code: 0, stderr: "sluice: no Python files found\n" });
    expect(JSON.parse(none.stdout)).toEqual([]);
  });

  test("is that of the policy in the namespace that is given", async () => {
    writeFileSync(
      at("spaces.yaml"),
      "name: a\nversion: 1\nnamespaces: {free/*: {capabilities: {default: allowed}}}",
    );
    writeFileSync(at("eval.py"), "eval(input())\n");
    const inNamespace = (...args: string[]) =>
      sluice(["analyse", ...ONE, "--policy", "spaces.yaml", ...args, "eval.py"], {
        cwd: directory,
      });
    const [usual, free, wrong] = await Promise.all([
      inNamespace(),
      inNamespace("--namespace", "free/x"),
      inNamespace("--namespace", "/x"),
    ]);
    expect([usual.code, free.code, wrong.code]).toEqual([1, 0, 2]);
    expect(wrong.stderr).toMatch(/the namespace \/x must be segments/);
  });

  test("is 1 where the policy that is given does not allow a script", async () => {
    writeFileSync(
      at("strict.yaml"),
      "name: strict\nversion: 1\ncapabilities:\n  refused: [code.execute]\n",
    );
    writeFileSync(at("eval.py"), "eval(input())\n");
    const { code, stdout } = await sluice(
      ["analyse", ...ONE, "--format", "ndjson", "--policy", "strict.yaml", "good.py", "eval.py"],
      { cwd: directory },
    );
    const [good, refused] = entriesOf(stdout);
    expect(code).toBe(1);
    expect(good?.report).toMatchObject({ verdict: "allowed", policy: { name: "strict" } });
    expect(refused?.report?.verdict).toBe("refused");
    expect(refused?.metadata?.python_version).toBe(refused?.report?.python_version);
  });

  // Of the program itself, not a process each.
  const FILES = new Set(["good.py", "missing", "empty", "wrong.yaml", "wrong.yar"]);
  test.each([
    [[], /Usage: sluice/],
    [["analyze", "good.py"], /unknown command 'analyze' \(Did you mean analyse\?\)/],
    [["analyse"], /no files: name some/],
    [["analyse", "--unknown", "good.py"], /unknown option '--unknown'/],
    [["analyse", "-dash.py"], /unknown option '-dash.py'/],
    [["analyse", "--format", "xml", "good.py"], /xml.*Allowed choices are text, json, ndjson/],
    [["analyse", "--profile", "other", "good.py"], /other.*Allowed choices are fastmcp, mcp/],
    [["analyse", "--threads", "0", "good.py"], /'0' is invalid.*from 1 to 256/],
    [["analyse", "--threads", "1e1", "good.py"], /'1e1' is invalid/],
    [["analyse", "--null", "good.py"], /--files-from.*missing/],
    [["analyse", "--files-from", "-", "-"], /standard input \(-\) can be read for one thing only/],
    [["analyse", "--files-from", "missing"], /the list \S*missing cannot be read: no such file/],
    [["analyse", "--files-from", "empty"], /the list \S*empty cannot be read: illegal operation/],
    [["analyse", "--policy", "missing", "good.py"], /the policy \S*missing .* no such file/],
    [["analyse", "--rules", "missing", "good.py"], /--rules is \S*missing, .*no such file/],
    [["analyse", "--rules", "empty", "good.py"], /--rules is \S*empty, a directory without files/],
    [
      ["analyse", "--rules", "wrong.yar", "good.py"],
      /--rules is \S*wrong\.yar, .*wrong\.yar:2: rule a must begin/,
    ],
    [
      ["analyse", "--policy", "wrong.yaml", "good.py"],
      /\n {2}imports\.allowed\[1\]: must be a module/,
    ],
    [["analyse", "--policy", "\x1b[2J", "good.py"], /the policy \\x1b\[2J cannot/],
  ])("is 2 for %j", async (args, message) => {
    writeFileSync(at("wrong.yar"), "\nrule a { condition: true }\n");
    writeFileSync(at("wrong.yaml"), "name: a\nversion: 1\nimports:\n  allowed: [numpy, 'a b']\n");
    const written = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      vi.spyOn(process[name], "write").mockImplementation((text) => {
        written[name] += String(text);
        return true;
      });
    const inDirectory = args.map((arg) => (FILES.has(arg) ? at(arg) : arg));
    const code = await main(inDirectory).finally(() => vi.restoreAllMocks());
    expect(written.stderr).toMatch(message);
    expect([code, written.stdout]).toEqual([2, ""]);
  });

  test("is 3 where the output cannot be written", async ({ skip }) => {
    if (!existsSync("/dev/full")) skip("there is no /dev/full");
    const full = openSync("/dev/full", "w");
    const child = start(["analyse", "good.py"], {
      cwd: directory,
      stdio: ["ignore", full, "pipe"],
    });
    closeSync(full);
    const { code, stderr } = await ended(child);
    expect(stderr).toMatch(/ENOSPC/);
    expect(code).toBe(3);
  });
});

test("--help and --version say what there is", async () => {
  const help = await sluice(["analyse", "--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  for (const option of [
    "--format",
    "--profile",
    "--policy",
    "--namespace",
    "--files-from",
    "--null",
    "--threads",
  ])
    expect(help.stdout).toContain(option);
  expect(help.stdout).toContain("\nPYTHON_BIN names ");
  expect(await sluice(["--help"])).toMatchObject({ code: 0, stderr: "" });
  for (const command of ["policy", "retention"])
    expect((await sluice([command, "dry-run", "--help"])).stdout).toMatch(
      /SLUICE_URL[^]*\nExit code: 0 /,
    );
  expect((await sluice(["--version"])).stdout).toMatch(
    /^\d+\.\d+\.\d+ \(analyser \S+, Python 3\.\d+\.\d+\)\n$/,
  );
});

describe("PYTHON_BIN", () => {
  const ARGS = ["analyse", ...ONE, "--format", "ndjson", "good.py", "bad.py"];

  test("names the Python that judges", async ({ skip }) => {
    const { stdout: version } = spawnSync("python3", ["-I", "-V"], { encoding: "utf8" });
    if (!version) skip("there is no python3");
    const { code, stdout, stderr } = await sluice(ARGS, {
      cwd: directory,
      env: { PYTHON_BIN: " python3 " },
    });
    expect([code, stderr]).toEqual([1, ""]);
    const [good, bad] = entriesOf(stdout);
    expect(`Python ${good?.report?.python_version}\n`).toBe(version);
    expect(good).toMatchObject({ report: { verdict: "allowed" }, metadata: { exports: null } });
    expect(good?.metadata?.python_version).toBe(good?.report?.python_version);
    expect(good?.report?.analyser_version).toContain("+cpython3.");
    expect(bad?.report?.verdict).toBe("invalid");
  });

  test("that cannot be used is said in one line", async () => {
    const env = { PYTHON_BIN: "/no/such/\x1b[2J" };
    expect(await sluice(ARGS, { cwd: directory, env })).toEqual({
      code: 2,
      signal: null,
      stdout: "",
      stderr:
        "sluice: Wrong settings: PYTHON_BIN is /no/such/\\x1b[2J, which is no program that can be run\n",
    });
  });
});

test("json is one array of the same entries, with the tools of the profile", async () => {
  const script = "def f(*a: int):\n    'F.'\n";
  const runs = await Promise.all(
    ["fastmcp", "mcp"].map((profile) =>
      sluice(["analyse", ...ONE, "--format", "json", "--profile", profile, "-", at("bad.py")], {
        input: script,
      }),
    ),
  );
  const documents = runs.map(({ stdout }) => JSON.parse(stdout) as unknown[]);
  const [fastmcp, mcp] = documents.map((entries) =>
    entriesOf(entries.map((entry) => `${JSON.stringify(entry)}\n`).join("")),
  );
  expect(fastmcp?.map(({ file }) => file)).toEqual(["-", at("bad.py")]);
  // FastMCP takes no functions with `*args`, the SDK does.
  expect(fastmcp?.[0]?.metadata?.tools[0]?.tool).toBeNull();
  expect(mcp?.[0]?.metadata?.tools[0]?.tool?.name).toBe("f");
  expect(mcp?.[1]?.metadata).toBeNull();
});

describe("a list of files", () => {
  test("is followed in its order, by several threads", async () => {
    mkdirSync(at("many"));
    const names = Array.from({ length: 300 }, (_, i) => `many/${(i * 7919) % 300}.py`);
    for (const [i, name] of names.entries())
      writeFileSync(at(name), `def f${i}(): ...\n${"x = 1\n".repeat((i % 7) * 100)}`);
    const { code, stdout } = await sluice(
      ["analyse", "--format", "ndjson", "--threads", "3", "--files-from", "-"],
      { cwd: directory, input: `${names.join("\n")}\n\nmany/none.py` },
    );
    const entries = entriesOf(stdout);
    expect(entries.map(({ file }) => file)).toEqual([...names, "many/none.py"]);
    for (const i of names.keys()) expect(entries[i]?.metadata?.functions[0]?.name).toBe(`f${i}`);
    expect(code).toBe(1);
  });

  test("separated by NUL names every file there can be", async () => {
    const odd = Buffer.from("odd\n \xff -.py", "latin1");
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), odd]), "x = 1\n");
    writeFileSync(at("-"), "x = 1\n");
    const list = Buffer.concat([Buffer.from("-\0"), odd, Buffer.from("\0empty\0good.py\0")]);
    writeFileSync(at("list"), list);
    for (const [from, input] of [
      ["-", list],
      ["list", ""],
    ] as const) {
      const { code, stdout } = await sluice(
        ["analyse", ...ONE, "--format", "ndjson", "-0", "--files-from", from],
        { cwd: directory, input },
      );
      expect(entriesOf(stdout).map(({ file }) => file)).toEqual([
        "-",
        "odd\n \udcff -.py",
        "good.py",
      ]);
      expect(code).toBe(0);
    }
  });

  test("with NUL in its lines is no list of lines", async () => {
    const { code, stdout } = await sluice(["analyse", "--format", "ndjson", "--files-from", "-"], {
      cwd: directory,
      input: "good.py\0bad.py\0",
    });
    expect(entriesOf(stdout)).toMatchObject([{ error: { code: "unreadable" } }]);
    expect(code).toBe(1);
  });
});

test("arguments name files whose names are no UTF-8, and files that start with a dash", async ({
  skip,
}) => {
  if (!existsSync("/proc/self/cmdline")) skip("only Linux keeps the bytes of arguments");
  writeFileSync(
    Buffer.concat([Buffer.from(`${directory}/`), Buffer.from("\xe9.py", "latin1")]),
    "x = 1\n",
  );
  writeFileSync(at("-x.py"), "x = 1\n");
  const command = `exec "$0" "$1" analyse --threads 1 --format ndjson -- "$(printf '\\351.py')" -x.py`;
  const { stdout } = spawnSync("sh", ["-c", command, process.execPath, PROGRAM], {
    cwd: directory,
    encoding: "utf8",
  });
  expect(entriesOf(stdout)).toMatchObject([
    { file: "\udce9.py", report: { verdict: "allowed" } },
    { file: "-x.py", report: { verdict: "allowed" } },
  ]);
});

describe("ends", () => {
  const ARGS = ["analyse", "--format", "ndjson", "--threads", "2"];

  beforeAll(() => writeFileSync(at("bomb.py"), BOMB));

  test("quietly when nobody reads on", async () => {
    const files = Array<string>(500).fill("good.py");
    const child = start([...ARGS, ...files], { cwd: directory });
    await once(child.stdout!, "data");
    child.stdout!.destroy();
    expect(await ended(child)).toMatchObject({ code: 141, signal: null, stderr: "" });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("at once on %s, with its threads", async (signal, code) => {
    const child = start([...ARGS, "good.py", "bomb.py"], { cwd: directory, detached: true });
    await once(child.stdout!, "data");
    child.kill(signal);
    expect(await ended(child)).toMatchObject({ code, signal: null, stderr: "" });
    // Nobody is left in its group.
    expect(() => process.kill(-child.pid!, 0)).toThrow("ESRCH");
  });
});
