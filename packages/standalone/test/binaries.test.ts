import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { repair } from "../src/postgres/binaries.js";
import { StartError } from "../src/start-error.js";

let parent: string;
let native: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "sluice-native-"));
  native = join(parent, "native");
  mkdirSync(join(native, "bin"), { recursive: true });
  mkdirSync(join(native, "lib"));
  for (const name of ["postgres", "initdb"])
    writeFileSync(join(native, "bin", name), "#!/bin/sh\n", { mode: 0o600 });
  writeFileSync(join(native, "lib", "libthing.so.1.2"), "thing");
  const links = ["native/lib/libthing.so", "native/lib/libthing.so.1"].map((target) => ({
    source: "native/lib/libthing.so.1.2",
    target,
  }));
  writeFileSync(join(native, "pg-symlinks.json"), JSON.stringify(links));
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

// What `npm ci --ignore-scripts` leaves behind.
describe("the binaries of an install with scripts blocked", () => {
  it("get their links and may be run by anybody", () => {
    const { postgres, initdb } = repair(native);
    expect(readFileSync(join(native, "lib", "libthing.so"), "utf8")).toBe("thing");
    expect(readlinkSync(join(native, "lib", "libthing.so.1"))).toBe("libthing.so.1.2");
    for (const path of [postgres, initdb]) expect(statSync(path).mode & 0o555).toBe(0o555);
  });

  it("keep what is there, however often", () => {
    symlinkSync("libthing.so.1.2", join(native, "lib", "libthing.so"));
    chmodSync(join(native, "bin", "postgres"), 0o755);
    expect(repair(native)).toEqual(repair(native));
    expect(readFileSync(join(native, "lib", "libthing.so.1"), "utf8")).toBe("thing");
  });

  it("say what is missing in one line", () => {
    rmSync(join(native, "bin", "initdb"));
    expect(() => repair(native)).toThrow(StartError);
    expect(() => repair(native)).toThrow(/initdb is missing: .*CATALOG_URL/);
  });
});
