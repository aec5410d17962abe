import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { describeWith, mountSmallDisk } from "../servers/index.js";
import { between, Drop, startHost } from "./drop.js";

const MB = 1024 * 1024;

describeWith(["postgres", "mount"], "a watcher", () => {
  test("waits while the object store has no room, and goes on by itself", async (context) => {
    const disk = await mountSmallDisk(16);
    context.onTestFinished(() => disk.remove());
    const host = await startHost({
      env: { OBJECT_STORE_URL: pathToFileURL(`${disk.seenFromHere}/objects`).href },
    });
    context.onTestFinished(() => host.ingest.stop());
    const drop = new Drop(host);
    context.onTestFinished(() => drop.close());
    let uploads = 0;
    const hasty = await between(
      host,
      async () => {
        uploads += 1;
      },
      // Half a minute is more than a test has.
      ({ "retry-after": wait, ...headers }) =>
        wait === undefined ? headers : { ...headers, "retry-after": "2" },
    );
    context.onTestFinished(() => hasty.close());
    disk.leave(MB);
    drop.write("big.py", `${"#".repeat(2_000_000)}\n`);
    drop.start({ WATCH_UPLOAD_URL: hasty.url });
    await expect.poll(async () => (await drop.state())?.state).toBe("waiting");
    expect((await drop.state())?.last_error).toMatch(/507/);
    expect(await drop.refusals()).toEqual({});
    disk.leave(14 * MB);
    await expect.poll(() => drop.names()).toEqual(["default/big.py"]);
    await expect.poll(async () => (await drop.state())?.state).toBe("following");
    expect(uploads).toBeGreaterThan(1);
  });
});
