import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { Clamd, ClamdRefusedError, ClamdUnavailableError } from "@sluice/clamav";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ClamdServer,
  describeWith,
  eicar,
  EICAR_SIGNATURE,
  startClamd,
} from "../servers/index.js";

const INFECTED = { kind: "infected", signature: EICAR_SIGNATURE };

describeWith(["clamd"], "clamd", () => {
  let server: ClamdServer;
  let clamd: Clamd;
  beforeAll(async () => {
    server = await startClamd({
      StreamMaxLength: "1M",
      AlertExceedsMax: "yes",
      MaxFileSize: "900K",
    });
    clamd = new Clamd({ url: server.url, timeoutMs: 30_000 });
  });
  afterAll(() => server.stop());

  test.each([
    ["nothing", ""],
    ["a script", "print('hello')\n"],
    [
      "bytes of all kinds",
      Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString("latin1"),
    ],
    ["several chunks", "x = 1\n".repeat(50_000)],
  ])("finds nothing in %s", async (_, text) => {
    expect(await clamd.scan(Buffer.from(text, "latin1"))).toEqual({ kind: "clean" });
  });

  test.each([
    ["by itself", eicar()],
    ["in a script", `x = 1\n# ${eicar()}\n`],
    ["across two chunks", `${"#".repeat(65_500)}${eicar()}`],
  ])("finds the test file %s", async (_, text) => {
    expect(await clamd.scan(Buffer.from(text))).toEqual(INFECTED);
  });

  test("answers many at once, each for itself", async () => {
    const scans = Array.from({ length: 40 }, (_, i) =>
      clamd.scan(Buffer.from(i % 2 === 0 ? `x = ${i}\n` : eicar())),
    );
    const kinds = (await Promise.all(scans)).map(({ kind }) => kind);
    expect(kinds).toEqual(kinds.map((_, i) => (i % 2 === 0 ? "clean" : "infected")));
  });

  test("never calls clean what is over its limits", async () => {
    const tooLong = clamd.scan(Buffer.alloc(1_200_000, "#"));
    await expect(tooLong).rejects.toThrow(ClamdRefusedError);
    await expect(tooLong).rejects.toThrow("INSTREAM size limit exceeded");
    const notToTheEnd = clamd.scan(Buffer.alloc(950_000, "#"));
    await expect(notToTheEnd).rejects.toThrow(ClamdRefusedError);
  });

  test("ends at once when it is told to", async () => {
    const reason = new Error("enough");
    await expect(clamd.scan(Buffer.from("x"), AbortSignal.abort(reason))).rejects.toBe(reason);
    process.kill(server.pid, "SIGSTOP");
    try {
      const abort = new AbortController();
      const scan = clamd.scan(Buffer.from("x"), abort.signal);
      abort.abort(reason);
      await expect(scan).rejects.toBe(reason);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
  });

  test("that hangs is not there", async () => {
    process.kill(server.pid, "SIGSTOP");
    try {
      const hasty = new Clamd({ url: server.url, timeoutMs: 1 });
      await expect(hasty.scan(Buffer.from("x"))).rejects.toThrow(ClamdUnavailableError);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
  });

  test("that is too slow with these bytes has refused them", async () => {
    const hasty = new Clamd({ url: server.url, timeoutMs: 0 });
    await expect(hasty.scan(Buffer.alloc(800_000, "#"))).rejects.toThrow(ClamdRefusedError);
  });

  test("that is killed is not there, and is again when it is back", async () => {
    await server.kill();
    await expect(clamd.scan(Buffer.from("x"))).rejects.toThrow(ClamdUnavailableError);
    await expect(clamd.check()).rejects.toThrow("ECONNREFUSED");
    await server.restart();
    expect(await clamd.scan(Buffer.from(eicar()))).toEqual(INFECTED);
  });
});

/** What answers otherwise than clamd does. */
async function impostor(answer: string): Promise<{ server: Server; clamd: Clamd }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return { server, clamd: new Clamd({ url: `tcp://127.0.0.1:${port}`, timeoutMs: 5_000 }) };
}

test.each([
  ["nothing", "", ClamdUnavailableError],
  ["half an answer", "stream: OK", ClamdUnavailableError],
  ["another protocol", "-ERR unknown command\r\n", ClamdUnavailableError],
  ["a flood", "x".repeat(10_000), ClamdUnavailableError],
  ["an error", "Can't allocate memory ERROR\0", ClamdRefusedError],
  ["what is almost an OK", "stream: OK \0", ClamdRefusedError],
])("%s is no word of a scanner", async (_, answer, error) => {
  const { server, clamd } = await impostor(answer);
  try {
    await expect(clamd.scan(Buffer.from("x = 1\n"))).rejects.toThrow(error);
    await expect(clamd.check()).rejects.toThrow(ClamdUnavailableError);
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});
