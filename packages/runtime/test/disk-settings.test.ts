import { expect, test } from "vitest";
import { loadSettings, SettingsError, writeDiskPaths } from "../src/settings.js";

function problems(env: Record<string, string>): Record<string, string> {
  try {
    loadSettings(env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return Object.fromEntries(error.problems.map(({ name, message }) => [name, message]));
  }
  return {};
}

test.each([
  ["10%", { percent: 10, bytes: undefined }],
  ["0.5 %", undefined],
  ["0.5%", { percent: 0.5, bytes: undefined }],
  ["20GB", { percent: undefined, bytes: 20e9 }],
  ["1.5GiB", { percent: undefined, bytes: 1.5 * 2 ** 30 }],
  ["512 mb", { percent: undefined, bytes: 512e6 }],
  ["10%, 20GB", { percent: 10, bytes: 20e9 }],
  ["20GB,10%", { percent: 10, bytes: 20e9 }],
  ["101%", undefined],
  ["-1%", undefined],
  ["10", undefined],
  ["10%,10%", undefined],
  ["10%,", undefined],
  ["1GB,2GB", undefined],
  ["10%,1GB,2GB", undefined],
  ["ten%", undefined],
  ["1e3GB", undefined],
  ["999999999TB", undefined],
  ["NaN%", undefined],
])("the level %s", (text, level) => {
  const env = { DISK_LOW: text, DISK_FULL: "0%" };
  if (level === undefined) expect(Object.keys(problems(env))).toEqual(["DISK_LOW"]);
  else expect(loadSettings(env).diskLow).toEqual(level);
});

test.each<[string, Record<string, string>, string[]]>([
  ["opens below where it closes", { DISK_FULL: "5%", DISK_FULL_UNTIL: "4%" }, ["DISK_FULL_UNTIL"]],
  ["opens where it closes", { DISK_FULL: "5%", DISK_FULL_UNTIL: "5%" }, ["DISK_FULL_UNTIL"]],
  [
    "opens below where it closes, by the size",
    { DISK_LOW: "5%,2GB", DISK_LOW_UNTIL: "6%,1GB" },
    ["DISK_LOW_UNTIL"],
  ],
  ["opens in another unit", { DISK_FULL: "1GB", DISK_FULL_UNTIL: "5%" }, ["DISK_FULL_UNTIL"]],
  ["is full before it is low", { DISK_LOW: "5%", DISK_FULL: "6%" }, ["DISK_FULL"]],
  ["is full before it is low, by the size", { DISK_FULL: "11GB" }, ["DISK_FULL"]],
  [
    "is wrong twice",
    { DISK_LOW: "5%", DISK_LOW_UNTIL: "1%", DISK_FULL: "5%", DISK_FULL_UNTIL: "1%" },
    ["DISK_LOW_UNTIL", "DISK_FULL_UNTIL"],
  ],
  ["is wrong beside others", { DISK_FULL: "50%", PORT: "x" }, ["PORT", "DISK_FULL"]],
])("what %s is refused by name", (_, env, names) => {
  expect(Object.keys(problems(env))).toEqual(names);
});

test.each<[string, Record<string, string>]>([
  ["levels alike", { DISK_LOW: "5%", DISK_FULL: "5%" }],
  ["no level at all", { DISK_LOW: "0%", DISK_FULL: "0%" }],
  ["ends as the levels are", { DISK_FULL: "1GB", DISK_FULL_UNTIL: "2GB" }],
])("%s are right", (_, env) => {
  expect(problems(env)).toEqual({});
});

test.each([
  ["catalog=/var/lib/postgresql", [{ name: "catalog", path: "/var/lib/postgresql" }]],
  ["a=/x, b=/y%2Cz", ["a /x", "b /y,z"].map((pair) => pairOf(pair))],
  ["catalog=relative", undefined],
  ["catalog", undefined],
  ["=/x", undefined],
  ["Catalog=/x", undefined],
  ["a=/x,a=/y", undefined],
  ["a=/%00", undefined],
  ["a=/%zz", undefined],
])("the disks %s", (text, disks) => {
  if (disks === undefined)
    expect(Object.keys(problems({ DISK_PATHS: text }))).toEqual(["DISK_PATHS"]);
  else expect(loadSettings({ DISK_PATHS: text }).diskPaths).toEqual(disks);
});

test("disks are read as they were written", () => {
  const disks = [
    { name: "catalog", path: "/data, with % and blanks /postgres" },
    { name: "other", path: "/ü" },
  ];
  expect(loadSettings({ DISK_PATHS: writeDiskPaths(disks) }).diskPaths).toEqual(disks);
});

function pairOf(text: string): { name: string; path: string } {
  const [name = "", path = ""] = text.split(" ");
  return { name, path };
}
