import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { inspect } from "node:util";

import {
  type ObjectStore,
  ObjectNotFoundError,
  openObjectStore,
  parseObjectStoreUrl,
  S3ObjectStore,
  StoreUnavailableError,
} from "@sluice/object-store";
import { afterAll, beforeAll, expect, test } from "vitest";

import { describeWith, type S3Server, startS3 } from "../servers/index.js";

const QUICK = {
  attempts: 3,
  firstDelayMs: 5,
  maxDelayMs: 20,
  timeoutMs: 2_000,
  giveUpAfterMs: 1_000,
};

for (const kind of ["minio", "versitygw"] as const) {
  describeWith([kind], `${kind} in trouble`, () => {
    let server: S3Server;
    let url: string;
    let store: ObjectStore;
    beforeAll(async () => {
      server = await startS3(kind);
      url = server.bucketUrl();
      store = await openObjectStore(url);
      await store.put("kept", Buffer.from("before the trouble"));
    });
    afterAll(async () => {
      await store.close();
      await server.stop();
    });

    test("ten processes make the same bucket at once", async () => {
      const bucket = server.bucketUrl();
      const stores = await Promise.all(Array.from({ length: 10 }, () => openObjectStore(bucket)));
      await stores[0]?.put("a", Buffer.from("x"));
      expect(await stores[9]?.stat("a")).toMatchObject({ size: 1 });
      await Promise.all(stores.map((opened) => opened.close()));
    });

    test.each([
      ["an unknown key", (it: URL) => (it.username = "nobody"), /key or secret is wrong/],
      ["a wrong secret", (it: URL) => (it.password = "guessed"), /key or secret is wrong/],
      ["TLS where there is none", (it: URL) => (it.search = ""), /does not speak TLS.*ssl=false/],
      ["a port where nobody listens", (it: URL) => (it.port = "1"), /nothing listens there/],
    ])("%s is one clear error without the secret", async (_, change, expected) => {
      const wrong = new URL(url);
      change(wrong);
      const error = await rejection(quickly(wrong.href));
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(String(error)).toMatch(expected);
      expect(String(error)).toContain(`s3://127.0.0.1:${wrong.port}${wrong.pathname}`);
      for (const secret of [wrong.password, decodeURIComponent(wrong.password)]) {
        expect(inspect(error, { depth: 10 })).not.toContain(secret);
      }
    });

    test("a connection that is cut in the middle of an answer is tried again", async () => {
      await store.put("cut/me", Buffer.alloc(500_000, "x"));
      const proxy = await startProxy(Number(new URL(url).port));
      const through = new URL(url);
      through.port = String(proxy.port);
      const cut = await quickly(through.href);
      proxy.cutNextAfter(100_000);
      expect((await cut.get("cut/me")).length).toBe(500_000);
      proxy.cutNextAfter(0);
      await cut.put("cut/put", Buffer.from("x"));
      expect(String(await store.get("cut/put"))).toBe("x");
      await cut.close();
      await proxy.close();
    });

    test("puts across a kill and a restart end, and tell the truth", async (context) => {
      const { own } = server;
      if (own === undefined) return context.skip("S3_TEST_URL names somebody else's server");
      const keys = Array.from({ length: 60 }, (_, index) => `killed/${index}`);
      const puts = keys.map((key) => rejection(store.put(key, bytesOf(key))));
      // Some are acknowledged, the others under way.
      await puts[5];
      await own.kill();
      await own.restart();
      const errors = await Promise.all(puts);
      for (const [index, key] of keys.entries()) {
        const read: unknown = await store.get(key).catch((error: unknown) => error);
        const isWhole = read instanceof Buffer && read.equals(bytesOf(key));
        if (errors[index] === undefined) {
          expect(isWhole).toBe(true);
        } else {
          expect(errors[index]).toBeInstanceOf(StoreUnavailableError);
          // Nobody promised it; but it is never half there.
          expect(isWhole || read instanceof ObjectNotFoundError).toBe(true);
        }
      }
      expect(String(await store.get("kept"))).toBe("before the trouble");
    });

    test("every operation on a server that is down says so, and works when it is back", async (context) => {
      const { own } = server;
      if (own === undefined) return context.skip("S3_TEST_URL names somebody else's server");
      const down = await quickly(url);
      await own.kill();
      await expectUnavailable(down);
      await expect(quickly(url)).rejects.toThrow(StoreUnavailableError);
      await own.restart();
      await down.check();
      expect(String(await down.get("kept"))).toBe("before the trouble");
      await down.close();
    });

    test("every operation on a server that does not answer ends", async (context) => {
      const { own } = server;
      if (own === undefined) return context.skip("S3_TEST_URL names somebody else's server");
      const stuck = await quickly(url, { ...QUICK, timeoutMs: 200, giveUpAfterMs: 0 });
      process.kill(own.pid, "SIGSTOP");
      try {
        await expectUnavailable(stuck);
      } finally {
        process.kill(own.pid, "SIGCONT");
      }
      expect(String(await store.get("kept"))).toBe("before the trouble");
      await stuck.close();
    });
  });
}

async function expectUnavailable(store: ObjectStore): Promise<void> {
  const errors = await Promise.all(
    [
      store.put("x", Buffer.alloc(1_000_000)),
      store.get("kept"),
      store.get("kept", { offset: 0, length: 1 }),
      store.stat("kept"),
      store.copy("kept", "copy"),
      store.delete("x"),
      store.list("")[Symbol.asyncIterator]().next(),
      store.check(),
    ].map(rejection),
  );
  for (const error of errors) {
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toContain(store.description);
  }
}

function quickly(url: string, retries = QUICK): Promise<S3ObjectStore> {
  const location = parseObjectStoreUrl(url);
  if (location.kind !== "s3") throw new Error("an s3 URL was expected");
  return S3ObjectStore.open(location, { retries });
}

function bytesOf(key: string): Buffer {
  return Buffer.alloc(50_000, key);
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** A way to the server that can be cut. */
async function startProxy(target: number): Promise<{
  port: number;
  cutNextAfter: (bytes: number) => void;
  close: () => Promise<void>;
}> {
  let left = Number.POSITIVE_INFINITY;
  const server: Server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    client.pipe(upstream);
    for (const socket of [client, upstream]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.on("data", (data) => {
      if (data.length <= left) {
        left -= data.length;
        client.write(data);
        return;
      }
      client.write(data.subarray(0, left));
      left = Number.POSITIVE_INFINITY;
      client.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cutNextAfter: (bytes) => {
      left = bytes;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
