import { randomBytes } from "node:crypto";
import { decode, encode } from "@sluice/blobs";
import { describe, expect, test } from "vitest";

const MEGABYTE = 1024 * 1024;

describe.each(["zstd", "gzip"] as const)("%s", (encoding) => {
  test("gives back the largest script, however it packs", async () => {
    const line = Buffer.from("print('the same again and again')\n");
    const noise = randomBytes(3 * MEGABYTE);
    for (const bytes of [
      Buffer.alloc(10 * MEGABYTE, line),
      Buffer.concat([Buffer.alloc(7 * MEGABYTE), noise]),
      Buffer.from(noise.toString("hex")),
      Buffer.alloc(0),
    ]) {
      const decoded = await decode(await encode(bytes, encoding), encoding);
      expect(decoded.equals(bytes)).toBe(true);
    }
  });

  test("refuses what would fill the memory", async () => {
    const part = await encode(Buffer.alloc(32 * MEGABYTE), encoding);
    // Frames of zstd and members of gzip that follow each other are one content.
    const bomb = Buffer.concat(Array.from({ length: 200 }, () => part));
    expect(bomb.length).toBeLessThan(10 * MEGABYTE);
    await expect(decode(bomb, encoding)).rejects.toThrow(/268435456|larger than/);
  });

  test("refuses what is cut, empty, or something else", async () => {
    const whole = await encode(Buffer.from("print('whole')\n".repeat(100)), encoding);
    for (const bytes of [
      whole.subarray(0, whole.length - 3),
      whole.subarray(0, 5),
      Buffer.from("print(1)\n"),
    ])
      await expect(decode(bytes, encoding)).rejects.toThrow();
  });
});
