import { resolve } from "node:path";
import { STAGE_NAMES } from "@sluice/pipeline";
import { describe, expect, it } from "vitest";
import {
  isLoopback,
  loadServiceSettings,
  loadSettings,
  resolveSetting,
  SETTINGS,
  SettingsError,
} from "../src/settings.js";

const STORES = {
  QUEUE_URL: "redis://127.0.0.1:6379",
  CATALOG_URL: "postgres://sluice:pw@127.0.0.1:5432/sluice",
  OBJECT_STORE_URL: "s3://key:secret@127.0.0.1:9000/scripts?ssl=false",
  BACKUP_URL: "file:///var/backup",
};

function problems(load: () => unknown): Record<string, string> {
  try {
    load();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return Object.fromEntries(error.problems.map(({ name, message }) => [name, message]));
  }
  return {};
}

describe("settings", () => {
  it("has a default for everything but the stores", () => {
    const settings = loadSettings({});
    expect(settings).toMatchObject({
      host: "127.0.0.1",
      port: 8080,
      dataDir: resolve("data"),
      queueUrl: undefined,
      apiKeys: [],
      metricsPeers: [],
      metricsPort: undefined,
      compression: "zstd",
      leaseMs: 30_000,
    });
    expect(Object.keys(settings.concurrency)).toEqual([...STAGE_NAMES]);
  });

  it("takes an empty variable for an unset one", () => {
    expect(loadSettings({ PORT: "", API_KEYS: " ", POLICY_FILE: "" })).toEqual(loadSettings({}));
  });

  it("names every wrong setting in one error, with what was expected", () => {
    const env = {
      PORT: "80a",
      LOG_LEVEL: "loud",
      VALIDATE_CONCURRENCY: "0",
      COMPRESSION: "lzma",
      METRICS_PEERS: "http://127.0.0.1:1,ftp://x",
      ORPHAN_GRACE_SECONDS: "-1",
    };
    const found = problems(() => loadSettings(env));
    expect(Object.keys(found).sort()).toEqual(Object.keys(env).sort());
    expect(found["PORT"]).toBe('must be a whole number from 0 to 65535 instead of "80a"');
  });

  it("names the missing stores of a service beside what is wrong", () => {
    const found = problems(() =>
      loadServiceSettings({ PORT: "99999", CATALOG_URL: STORES.CATALOG_URL }),
    );
    expect(Object.keys(found)).toEqual(["PORT", "QUEUE_URL", "OBJECT_STORE_URL", "BACKUP_URL"]);
    expect(problems(() => loadServiceSettings(STORES))).toEqual({});
  });

  it.each([
    ["QUEUE_URL", "amqp://localhost"],
    ["QUEUE_URL", "redis://"],
    ["CATALOG_URL", "mysql://localhost/x"],
    ["CATALOG_URL", "postgres://localhost"],
    ["CATALOG_URL", "localhost:5432"],
    ["OBJECT_STORE_URL", "s3://host:9000/bucket"],
    ["OBJECT_STORE_URL", "s3://k:s@host:9000/"],
    ["OBJECT_STORE_URL", "s3://k:s@host:9000/UPPER"],
    ["OBJECT_STORE_URL", "file://relative/dir"],
    ["OBJECT_STORE_URL", "file:///"],
    ["BACKUP_URL", "/var/backup"],
    ["CLAMD_URL", "clamd:3310"],
    ["CLAMD_URL", "tcp://"],
    ["CLAMD_URL", "tcp://user:word@clamd:3310"],
    ["CLAMD_URL", "unix://run/clamd.ctl"],
    ["CLAMD_URL", "unix:///"],
  ])("refuses %s=%s", (name, value) => {
    expect(Object.keys(problems(() => loadServiceSettings({ ...STORES, [name]: value })))).toEqual([
      name,
    ]);
  });

  it("tells what a setting names and is not to be found as a wrong setting", async () => {
    expect(await resolveSetting("PYTHON_BIN", () => Promise.resolve(1))).toBe(1);
    const absent = resolveSetting("PYTHON_BIN", () => Promise.reject(new Error("is not there")));
    await expect(absent).rejects.toEqual(
      new SettingsError([{ name: "PYTHON_BIN", message: "is not there" }]),
    );
    await expect(absent).rejects.toThrow("Wrong settings: PYTHON_BIN is not there");
  });

  it("never prints a secret", () => {
    const env = {
      QUEUE_URL: "redis://u:hunter2@[bad",
      CATALOG_URL: "postgres://u:hunter2@",
      OBJECT_STORE_URL: "s3://k:hunter2@/x",
      BACKUP_URL: "hunter2",
      API_KEYS: "hunter2",
    };
    expect(() => loadSettings(env)).toThrow(SettingsError);
    try {
      loadSettings(env);
    } catch (error) {
      expect(`${String(error)}${JSON.stringify(error)}`).not.toContain("hunter2");
    }
    expect(Object.keys(problems(() => loadSettings(env))).sort()).toEqual(Object.keys(env).sort());
  });

  it("binds to other addresses than loopback only with API keys", () => {
    const key = "0123456789abcdef";
    expect(Object.keys(problems(() => loadSettings({ HOST: "0.0.0.0" })))).toEqual(["HOST"]);
    expect(Object.keys(problems(() => loadSettings({ HOST: "::" })))).toEqual(["HOST"]);
    expect(Object.keys(problems(() => loadSettings({ HOST: "127.evil.example" })))).toEqual([
      "HOST",
    ]);
    expect(loadSettings({ HOST: "0.0.0.0", API_KEYS: `${key}, ${key}2` }).apiKeys).toEqual([
      { name: undefined, key },
      { name: undefined, key: `${key}2` },
    ]);
    for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1"]) {
      expect(isLoopback(host)).toBe(true);
      expect(loadSettings({ HOST: host }).host).toBe(host);
    }
  });

  it("takes API keys with names, and each key and name once", () => {
    const key = "0123456789abcdef";
    expect(loadSettings({ API_KEYS: `alice:${key}, ci.bot-2:${key}==,${key}=` }).apiKeys).toEqual([
      { name: "alice", key },
      { name: "ci.bot-2", key: `${key}==` },
      { name: undefined, key: `${key}=` },
    ]);
    for (const wrong of [
      `alice:${key.slice(1)}`,
      `:${key}`,
      `2nd:${key}`,
      `al ice:${key}`,
      `${"a".repeat(65)}:${key}`,
      `alice:bob:${key}`,
      `${key},${key}`,
      `alice:${key},bob:${key}`,
      `alice:${key},alice:${key}2`,
      `janitor:${key}`,
      `local:${key}`,
      `policy:${key}`,
    ]) {
      expect(Object.keys(problems(() => loadSettings({ API_KEYS: wrong })))).toEqual(["API_KEYS"]);
    }
  });

  describe("of webhooks", () => {
    const right = {
      name: "pager",
      url: "https://hooks.example.com/in/path-7",
      secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    };
    const load = (list: unknown) =>
      loadSettings({ WEBHOOKS: typeof list === "string" ? list : JSON.stringify(list) });

    it("takes a list, and nothing as nobody", () => {
      expect(loadSettings({}).webhooks).toEqual([]);
      const other = { ...right, name: "chat", severity: "info", kinds: ["blob.*", "watch.found"] };
      expect(load([right, other]).webhooks).toEqual([
        { ...right, severity: "warning", kinds: [] },
        other,
      ]);
    });

    it.each<[string, unknown, RegExp]>([
      ["no JSON", "https://hooks.example.com/in/path-7", /is no JSON$/],
      ["no list", right, /expected array/],
      ["no object", ["path-7"], /\[0\] must have name, url, secrets/],
      ["an unknown member", [{ ...right, severty: "path-7" }], /\[0\] has severty: it may have/],
      ["a secret in its place", [{ ...right, "path-7": 1 }], /has a member with another name: it/],
      ["no secret", [{ ...right, secrets: [] }], /\[0\]\.secrets /],
      [
        "a secret without its prefix",
        [{ ...right, secrets: ["path-7"] }],
        /\[0\]\.secrets\[0\] must be whsec_/,
      ],
      [
        "a secret that is no base64",
        [{ ...right, secrets: ["whsec_path-7!"] }],
        /secrets\[0\] must/,
      ],
      ["a short secret", [{ ...right, secrets: ["whsec_cGF0aC03"] }], /24 to 64 bytes/],
      ["a long secret", [{ ...right, secrets: [`whsec_${"path".repeat(25)}`] }], /24 to 64 bytes/],
      [
        "another scheme",
        [{ ...right, url: "ftp://h/path-7" }],
        /\[0\]\.url must be an http or https URL/,
      ],
      ["no URL", [{ ...right, url: "path-7" }], /\[0\]\.url must/],
      ["a password in the URL", [{ ...right, url: "https://u:path-7@h/" }], /without user name/],
      [
        "an unknown kind",
        [{ ...right, kinds: ["blob.path-7"] }],
        /\[0\]\.kinds\[0\] must be a kind/,
      ],
      ["kinds that none begins so", [{ ...right, kinds: ["path-7.*"] }], /kinds\[0\] must/],
      ["an unknown severity", [{ ...right, severity: "path-7" }], /\[0\]\.severity/],
      ["a name twice", [right, right], /must not have a name twice/],
      ["a name that is no label", [{ ...right, name: "Path 7" }], /\[0\]\.name must/],
    ])("refuses %s, and tells no value", (_, list, why) => {
      const { WEBHOOKS: message } = problems(() => load(list));
      expect(message).toMatch(why);
      expect(message).not.toContain("path-7");
      expect(message).not.toContain("MfKQ9r8");
    });
  });

  it("declares each setting once, and a default that is right", () => {
    const names = SETTINGS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const defaults = SETTINGS.flatMap(({ name, default: value }) =>
      value === undefined ? [] : [[name, value]],
    );
    expect(loadSettings(Object.fromEntries(defaults) as NodeJS.ProcessEnv)).toEqual(
      loadSettings({}),
    );
    for (const stage of STAGE_NAMES) expect(names).toContain(`${stage.toUpperCase()}_CONCURRENCY`);
  });
});
