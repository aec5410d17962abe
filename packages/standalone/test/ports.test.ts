import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { freePorts, reservePort } from "../src/ports.js";
import { StartError } from "../src/start-error.js";

let server: Server | undefined;

afterEach(async () => {
  const open = server;
  server = undefined;
  if (open !== undefined) await new Promise((resolve) => open.close(resolve));
});

async function takenPort(): Promise<number> {
  const taken = createServer();
  server = taken;
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  return (taken.address() as AddressInfo).port;
}

const never = new AbortController().signal;

describe("the API's port", () => {
  it("is refused in one line where it is in use", async () => {
    const port = await takenPort();
    const expected = `port ${port} on 127.0.0.1 is in use: choose another one with PORT=`;
    await expect(reservePort("127.0.0.1", port, 0, never)).rejects.toThrow(
      new StartError(expected),
    );
  });

  it("is waited for where its holder is about to go", async () => {
    const port = await takenPort();
    const waiting = reservePort("127.0.0.1", port, 60_000, never);
    server?.close();
    await expect(waiting).resolves.toBe(port);
  });

  it("is not waited for once the start is given up", async () => {
    const giveUp = new AbortController();
    const waiting = reservePort("127.0.0.1", await takenPort(), 60_000, giveUp.signal);
    giveUp.abort();
    await expect(waiting).rejects.toThrow();
  });

  it("is a free one where it is 0, and never on another machine's address", async () => {
    expect(await reservePort("127.0.0.1", 0, 0, never)).toBeGreaterThan(0);
    await expect(reservePort("192.0.2.1", 0, 0, never)).rejects.toThrow(
      /no address of this machine.*HOST=/,
    );
  });
});

describe("free ports", () => {
  it("are different ones, outside those of outgoing connections", async () => {
    const ports = await freePorts(20);
    expect(new Set(ports).size).toBe(20);
    for (const port of ports) expect(port).toBeLessThan(32_768);
  });
});
