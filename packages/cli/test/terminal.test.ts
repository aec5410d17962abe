import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ended, entriesOf, LONG_MS, PROGRAM, scratchDirectory } from "./sluice.js";

vi.setConfig({ testTimeout: LONG_MS });

/** Runs a program whose standard error, and output if so told, is a terminal; prints what each was sent as JSON. */
const ON_TERMINAL = `
import json, os, pty, subprocess, sys
what, *command = sys.argv[1:]
terminal, end = pty.openpty()
output = end if what == "both" else subprocess.PIPE
child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=end)
os.close(end)
shown = b""
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    shown += part
output = child.stdout.read().decode() if child.stdout else ""
print(json.dumps({"code": child.wait(), "shown": shown.decode(), "output": output}))
`;

const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;

describe("on a terminal", () => {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "scripts"));
  for (let i = 0; i < 20; i++) writeFileSync(join(directory, "scripts", `${i}.py`), "x = 1\n");

  async function onTerminal(what: "both" | "errors", args: readonly string[], env = {}) {
    const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
    const command = [process.execPath, PROGRAM, "analyse", ...args, "scripts"];
    const child = spawn("python3", ["-c", ON_TERMINAL, what, ...command], {
      cwd: directory,
      env: { ...inherited, TERM: "xterm", ...env },
    });
    const { stdout, stderr } = await ended(child);
    expect(stderr).toBe("");
    return JSON.parse(stdout) as { code: number; shown: string; output: string };
  }

  const name = (what: string) => (hasPython ? what : `${what} (NOT CHECKED: there is no python3)`);

  test.skipIf(!hasPython)(name("text has colour, and no bar is drawn over it"), async () => {
    const { code, shown } = await onTerminal("both", []);
    expect(code).toBe(0);
    expect(shown).toContain("scripts/0.py\x1b[22m: \x1b[32mallowed\x1b[39m");
    expect(shown).not.toContain("░");
    const plain = await onTerminal("both", [], { NO_COLOR: "1" });
    expect(plain.shown).toContain("scripts/0.py: allowed");
    expect(plain.shown).not.toContain("\x1b");
  });

  test.skipIf(!hasPython)(
    name("a bar shows how far it is, and leaves nothing behind"),
    async () => {
      const { code, shown, output } = await onTerminal("errors", ["--format", "ndjson"]);
      expect(code).toBe(0);
      expect(entriesOf(output)).toHaveLength(20);
      expect(output).not.toContain("\x1b");
      expect(shown).toContain("░ 0/20 files");
      // The cursor is shown again, and the line is empty.
      expect(shown).toContain("\x1b[?25h");
      expect(shown.slice(shown.lastIndexOf("files"))).toContain("\x1b[2K");
    },
  );
});
