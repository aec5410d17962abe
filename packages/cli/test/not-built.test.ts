import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { ended, LONG_MS, scratchDirectory } from "./sluice.js";

vi.setConfig({ testTimeout: LONG_MS });

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const directory = scratchDirectory();

/** A checkout as `npm ci` leaves it: what is installed is shared with this one, what is built is not. */
function copyCheckout(): string {
  const copy = join(directory, "checkout");
  for (const name of ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.base.json"])
    cpSync(join(ROOT, name), join(copy, name));
  for (const name of ["scripts", "packages"])
    cpSync(join(ROOT, name), join(copy, name), {
      recursive: true,
      filter: (source) => !["dist", "node_modules", "test"].includes(basename(source)),
    });
  mkdirSync(join(copy, "node_modules", "@sluice"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name !== "@sluice" && name !== ".bin")
      symlinkSync(join(ROOT, "node_modules", name), join(copy, "node_modules", name));
  }
  for (const name of readdirSync(join(copy, "packages")))
    symlinkSync(join(copy, "packages", name), join(copy, "node_modules", "@sluice", name));
  return copy;
}

test("in a checkout that is not built it builds what it needs, once, and says so", async () => {
  const checkout = copyCheckout();
  const program = join(checkout, "packages", "cli", "bin", "sluice.mjs");
  const run = () => ended(spawn(process.execPath, [program, "--version"]));
  const first = await run();
  expect(first).toMatchObject({ code: 0, stderr: "sluice: building, once …\n" });
  expect(await run()).toEqual({ ...first, stderr: "" });
  expect(existsSync(join(checkout, "packages", "worker", "dist"))).toBe(false);

  writeFileSync(
    join(checkout, "packages", "cli", "src", "index.ts"),
    "export const main: 1 = 2;\n",
  );
  const broken = await run();
  expect(broken).toMatchObject({ code: 3, stdout: "" });
  expect(broken.stderr).toMatch(/sluice: the build failed \(tsc -b\):\n.*index\.ts/);
});
