import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ScriptList } from "@sluice/contracts";
import { STAGE_NAMES } from "@sluice/pipeline";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { processIdentity } from "../../packages/standalone/src/process-identity.js";
import { Client } from "../pipeline/client.js";
import { describeWith, temporaryDirectory } from "../servers/index.js";
import { Launcher } from "./launcher.js";

// A start is many processes at once; a busy machine takes its time.
vi.setConfig({ testTimeout: 300_000 });

const SERVICES = ["ingest", ...STAGE_NAMES, "index", "janitor"];

function isRunning(pid: number): boolean {
  return processIdentity(pid) !== undefined;
}

function postgresPid(dataDir: string): number {
  return Number(readFileSync(join(dataDir, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
}

/** Resolves when an entry whose name matches is made in the directory. */
function entryIn(directory: string, pattern: RegExp): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(directory, (_, name) => {
      if (name === null || !pattern.test(name)) return;
      watcher.close();
      resolve();
    });
  });
}

// The steps of one installation's life, in order.
describeWith(["postgres"], "npm start", () => {
  const dataDir = join(temporaryDirectory(), "data");
  let launcher: Launcher;
  let url: string;
  let scriptId: string;

  afterAll(async () => {
    if (launcher?.process.exitCode === null) await launcher.stop();
  });

  test("that is killed while it makes its database leaves nothing that is in the way", async () => {
    mkdirSync(dataDir, { recursive: true });
    const begun = entryIn(dataDir, /^postgres\.new-/);
    const killed = new Launcher(dataDir);
    await begun;
    killed.process.kill("SIGKILL");
    expect(await killed.exited).toBeNull();
    expect(existsSync(join(dataDir, "postgres"))).toBe(false);
  });

  test("starts everything, each as a process of its own, and says where it is", async () => {
    launcher = new Launcher(dataDir);
    url = await launcher.ready();
    const pids = [...SERVICES, "postgres"].map((name) => launcher.pidOf(name));
    expect(new Set(pids).size).toBe(SERVICES.length + 1);
    expect(pids.every(isRunning)).toBe(true);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(readdirSync(dataDir).sort()).toEqual(["backup", "objects", "postgres", "sluice.lock"]);
    // Every line of a program is JSON; the rest is for the person at the terminal.
    expect(() => launcher.log()).not.toThrow();
    expect(launcher.said().every((line) => /^[A-Z].*\S$/.test(line))).toBe(true);
  });

  test("carries a script through all stages", async () => {
    const client = new Client(url);
    const uploaded = await client.upload(
      "hello.py",
      'def hello() -> str:\n    """Greet."""\n    return "hello"\n',
    );
    scriptId = uploaded.script_id;
    expect((await client.untilFinal(scriptId)).state).toBe("ready");
  });

  test("is refused for a data directory that is in use", async () => {
    const second = new Launcher(dataDir);
    expect(await second.exited).toBe(1);
    await second.deserted;
    expect(second.said().at(-1)).toMatch(
      new RegExp(
        `^sluice: the data directory ${dataDir} is in use by another Sluice \\(process \\d+\\): `,
      ),
    );
  });

  test("is refused for a port that is in use, before it makes anything", async () => {
    const elsewhere = join(temporaryDirectory(), "data");
    const second = new Launcher(elsewhere, { PORT: new URL(url).port });
    expect(await second.exited).toBe(1);
    await second.deserted;
    expect(second.said().at(-1)).toMatch(
      /^sluice: port \d+ on 127\.0\.0\.1 is in use: choose another one with PORT=$/,
    );
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test("starts again at once what was killed", async () => {
    for (const name of ["extract", "postgres", "ingest"]) {
      const before = launcher.lines.length;
      const pid = launcher.pidOf(name);
      process.kill(pid, "SIGKILL");
      await launcher.line(new RegExp(`"program":"${name}".*"msg":"ready"`), before);
      expect(launcher.pidOf(name)).not.toBe(pid);
    }
    expect((await new Client(url).status(scriptId)).state).toBe("ready");
  });

  test("ends with everything it has started where it is killed itself", async () => {
    expect(postgresPid(dataDir)).toBe(launcher.pidOf("postgres"));
    launcher.process.kill("SIGKILL");
    await launcher.deserted;
    // They have closed their output, and are gone a moment later.
    const pids = SERVICES.map((name) => launcher.pidOf(name));
    await expect.poll(() => pids.filter(isRunning)).toEqual([]);
    expect(existsSync(join(dataDir, "sluice.lock"))).toBe(true);
  });

  test("finds everything again, and what lies in a drop folder", async () => {
    const drop = join(temporaryDirectory(), "drop");
    mkdirSync(join(drop, "team"), { recursive: true });
    writeFileSync(join(drop, "team", "dropped.py"), "dropped = True\n");
    launcher = new Launcher(dataDir, { WATCH_DIRS: drop });
    url = await launcher.ready();
    const client = new Client(url);
    expect((await client.status(scriptId)).state).toBe("ready");
    expect((await client.content(scriptId)).toString()).toContain("def hello()");
    await expect
      .poll(async () => (await client.get<ScriptList>("/scripts?namespace=team")).items)
      .toMatchObject([{ filename: "dropped.py", version: 1 }]);
  });

  test("stops everything in order and without loss", async () => {
    const uploaded = await new Client(url).upload("late.py", "late = True\n");
    const pids = [...SERVICES, "postgres"].map((name) => launcher.pidOf(name));
    expect(await launcher.stop("SIGTERM")).toBe(0);
    expect(launcher.said().at(-1)).toBe("Sluice has stopped.");
    const stopped = launcher
      .log()
      .filter(({ service, msg }) => service === "standalone" && msg === "stopped")
      .map(({ program }) => program);
    expect(stopped[0]).toBe("ingest");
    expect(new Set(stopped.slice(1, -2))).toEqual(new Set([...STAGE_NAMES, "index", "watch"]));
    expect(stopped.slice(-2)).toEqual(["janitor", "postgres"]);
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(join(dataDir, "sluice.lock"))).toBe(false);

    launcher = new Launcher(dataDir);
    url = await launcher.ready();
    expect((await new Client(url).untilFinal(uploaded.script_id)).state).toBe("ready");
  });

  test("stops once on the several signals of one Ctrl-C", async () => {
    launcher.process.kill("SIGINT");
    await launcher.line(/^Stopping \(SIGINT\)/);
    expect(await launcher.stop("SIGINT")).toBe(0);
    expect(launcher.said().at(-1)).toBe("Sluice has stopped.");
  });

  test("stops while it is still starting, and where the signal goes to npm", async () => {
    launcher = new Launcher(dataDir, {}, ["npm", "start"]);
    await launcher.line(/^PostgreSQL 18\S* runs\.$/);
    expect(await launcher.stop()).toBe(0);
    expect(existsSync(join(dataDir, "postgres", "postmaster.pid"))).toBe(false);
  });
});

describe("npm start on a directory that it cannot use", () => {
  let parent: string;
  beforeAll(() => void (parent = temporaryDirectory()));

  async function lastLine(dataDir: string, env: Record<string, string> = {}): Promise<string> {
    const launcher = new Launcher(dataDir, env);
    const code = await launcher.exited;
    await launcher.deserted;
    return `${code}: ${launcher.said().at(-1)}`;
  }

  test("of another version of PostgreSQL, says which", async () => {
    const dataDir = join(parent, "old");
    mkdirSync(join(dataDir, "postgres"), { recursive: true });
    writeFileSync(join(dataDir, "postgres", "PG_VERSION"), "15\n");
    expect(await lastLine(dataDir)).toMatch(
      /^1: sluice: .*\/old\/postgres was made by PostgreSQL 15, and this is PostgreSQL 18: .*SLUICE_DATA/,
    );
    expect(readdirSync(join(dataDir, "postgres"))).toEqual(["PG_VERSION"]);
  });

  test("which is a file, says so", async () => {
    writeFileSync(join(parent, "file"), "");
    expect(await lastLine(join(parent, "file"))).toMatch(
      /^1: sluice: .*file is not a directory: set SLUICE_DATA/,
    );
  });

  test("names the server of a store that does not answer, without its password", async () => {
    const said = await lastLine(join(parent, "new"), {
      CATALOG_URL: "postgres://me:hunter2@127.0.0.1:1/x",
    });
    expect(said).toMatch(
      /^1: sluice: the catalog cannot be prepared \(postgres:\/\/me:\*\*\*@127\.0\.0\.1:1\/x\): .*ECONNREFUSED/,
    );
  });

  test("names all wrong settings in one line", async () => {
    const said = await lastLine(join(parent, "new"), {
      PORT: "x",
      QUEUE_URL: "amqp://y",
      HOST: "0.0.0.0",
    });
    expect(said).toMatch(
      /^2: sluice: Wrong settings: (?=.*PORT )(?=.*QUEUE_URL )(?=.*HOST .*API_KEYS)/,
    );
  });

  test.each([
    ["that is not there", undefined, /ENOENT/],
    ["with mistakes, naming each", "bogus: 1\nlimits: 3\n", /(?=.*bogus)(?=.*limits)/],
  ])("names a policy %s", async (_what, text, reason) => {
    const policy = join(parent, "policy.yaml");
    if (text !== undefined) writeFileSync(policy, text);
    const said = await lastLine(join(parent, "new"), { POLICY_FILE: policy });
    expect(said).toMatch(/^2: sluice: the policy .*policy\.yaml \(POLICY_FILE\) cannot be used: /);
    expect(said).toMatch(reason);
  });
});
