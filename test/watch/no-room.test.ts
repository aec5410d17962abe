import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { mayMount } from "../http/ingest.js";
import { describeWith } from "../servers/index.js";
import { Drop } from "./drop.js";

describeWith(["postgres"], "a watcher", () => {
  // In a file of its own: it waits for as long as Retry-After says, which is half a minute.
  test("waits while the object store has no room, and goes on by itself", async (context) => {
    if (!mayMount()) context.skip("this system does not let the user mount a disk of its own");
    const drop = await Drop.open({ diskSize: "1m" });
    context.onTestFinished(() => drop.close());
    drop.write("big.py", `${"#".repeat(2_000_000)}\n`);
    drop.start();
    await expect.poll(async () => (await drop.state())?.state).toBe("waiting");
    expect((await drop.state())?.last_error).toMatch(/507/);
    expect(await drop.refusals()).toEqual({});
    const { pid } = drop.ingest;
    const mounts = spawnSync("nsenter", [
      `--target=${pid}`,
      "--user",
      "--mount",
      "--preserve-credentials",
      "sh",
      "-c",
      'mount -o remount,size=50m "$(grep tmpfs /proc/self/mounts | grep sluice-test | tail -1 | cut -d" " -f2)"',
    ]);
    expect(String(mounts.stderr)).toBe("");
    await expect.poll(() => drop.names(), { timeout: 90_000 }).toEqual(["default/big.py"]);
    await expect.poll(async () => (await drop.state())?.state).toBe("following");
  }, 180_000);
});
