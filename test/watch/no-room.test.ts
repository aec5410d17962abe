import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { describeWith, mountSmallDisk } from "../servers/index.js";
import { Drop } from "./drop.js";

const MB = 1024 * 1024;

describeWith(["postgres", "mount"], "a watcher", () => {
  // In a file of its own: it waits for as long as Retry-After says, which is half a minute.
  test("waits while the object store has no room, and goes on by itself", async (context) => {
    const disk = await mountSmallDisk(16);
    context.onTestFinished(() => disk.remove());
    const drop = await Drop.open({
      env: { OBJECT_STORE_URL: pathToFileURL(`${disk.seenFromHere}/objects`).href },
    });
    context.onTestFinished(() => drop.close());
    disk.leave(MB);
    drop.write("big.py", `${"#".repeat(2_000_000)}\n`);
    drop.start();
    await expect.poll(async () => (await drop.state())?.state).toBe("waiting");
    expect((await drop.state())?.last_error).toMatch(/507/);
    expect(await drop.refusals()).toEqual({});
    disk.leave(14 * MB);
    await expect.poll(() => drop.names(), { timeout: 90_000 }).toEqual(["default/big.py"]);
    await expect.poll(async () => (await drop.state())?.state).toBe("following");
  }, 180_000);
});
