import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILT_IN_PYTHON } from "@sluice/python-analysis";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Client } from "../pipeline/client.js";
import { describeWith, guard, temporaryDirectory } from "../servers/index.js";
import { Launcher } from "./launcher.js";

vi.setConfig({ testTimeout: 300_000 });

const SERVICES = fileURLToPath(new URL("../../services/", import.meta.url));
const MISSING = { PYTHON_BIN: "/no/such/python" };
const COMPLAINT =
  "Wrong settings: PYTHON_BIN is /no/such/python, which is no program that can be run";

describe("a PYTHON_BIN that cannot be used", () => {
  test("is named by npm start in one line, before anything is made", async () => {
    const dataDir = join(temporaryDirectory(), "data");
    const launcher = new Launcher(dataDir, MISSING);
    expect(await launcher.exited).toBe(2);
    await launcher.deserted;
    expect(launcher.lines).toEqual([`sluice: ${COMPLAINT}`]);
    expect(() => readdirSync(dataDir)).toThrow("ENOENT");
  });

  const asking = readdirSync(SERVICES).filter((name) =>
    readFileSync(join(SERVICES, name, "src", "main.ts"), "utf8").includes("findPython("),
  );

  test("concerns whoever judges, or reuses what was judged", () => {
    expect(asking).toEqual(["dedup", "extract", "validate"]);
  });

  // No server is there to be reached: it ends before it asks for one.
  test.each(asking)("is named by %s in one line, before it does anything else", async (name) => {
    const child = guard(
      spawn(process.execPath, [join(SERVICES, name, "dist", "main.js")], {
        env: {
          ...MISSING,
          QUEUE_URL: "redis://127.0.0.1:1",
          CATALOG_URL: "postgres://a:b@127.0.0.1:1/c",
          OBJECT_STORE_URL: "s3://k:s@127.0.0.1:1/scripts?ssl=false",
          BACKUP_URL: "s3://k:s@127.0.0.1:1/backup?ssl=false",
        },
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
    let said = "";
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code).toBe(2);
    const lines = said
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { msg: string });
    expect(lines.map(({ msg }) => msg)).toEqual([COMPLAINT]);
  });
});

describeWith(["postgres", "python3"], "npm start with a PYTHON_BIN", () => {
  let launcher: Launcher | undefined;
  afterEach(async () => {
    await launcher?.stop();
  });

  test("judges by it, and reuses nothing of it when it is gone", async () => {
    const dataDir = join(temporaryDirectory(), "data");
    const script = "def f() -> int:\n    return 1\n";
    const version = spawnSync("python3", ["-c", "import sys; print(sys.version.split()[0])"], {
      encoding: "utf8",
    }).stdout.trim();
    const upload = async (name: string, env: Record<string, string>) => {
      launcher = new Launcher(dataDir, env);
      const client = new Client(await launcher.ready());
      const { script_id: id } = await client.upload(name, script);
      expect((await client.untilFinal(id)).state).toBe("ready");
      const [report, metadata] = [await client.report(id), await client.metadata(id)];
      expect(await launcher.stop()).toBe(0);
      launcher = undefined;
      return { report, metadata };
    };

    const first = await upload("first.py", { PYTHON_BIN: "python3" });
    expect(first.report.python_version).toBe(version);
    expect(first.metadata.python_version).toBe(version);
    expect(first.report.analyser_version).toBe(
      `${BUILT_IN_PYTHON.analyserVersion}+cpython${version}`,
    );

    const second = await upload("second.py", {});
    expect(second.report.python_version).toBe(BUILT_IN_PYTHON.version);
    expect(second.metadata.python_version).toBe(BUILT_IN_PYTHON.version);
    expect(second.report.analyser_version).toBe(BUILT_IN_PYTHON.analyserVersion);
  });
});
