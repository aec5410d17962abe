import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreFullError, StoreUnavailableError } from "../src/object-store.js";
import { S3ObjectStore } from "../src/s3.js";
import { parseObjectStoreUrl } from "../src/url.js";

/*
 * The answers of servers that have no room, as they put them on the wire: most of them are of servers
 * that cannot be run here. It lists an empty bucket and refuses every write.
 */
let server: Server;
let refusal: { readonly status: number; readonly code: string; readonly message?: string };
let writes: number;
beforeEach(async () => {
  writes = 0;
  server = createServer((request, response) => {
    request.resume().on("end", () => {
      if (request.method === "GET") {
        response.end("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
        return;
      }
      writes += 1;
      const { status, code, message = "refused" } = refusal;
      response.writeHead(status, { "content-type": "application/xml" });
      response.end(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function refused(operation: (store: S3ObjectStore) => Promise<void>): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  const location = parseObjectStoreUrl(`s3://key:secret@127.0.0.1:${port}/bucket?ssl=false`);
  if (location.kind !== "s3") throw new Error("an s3 URL was expected");
  const store = await S3ObjectStore.open(location, {
    retries: {
      attempts: 3,
      firstDelayMs: 1,
      maxDelayMs: 1,
      timeoutMs: 2_000,
      giveUpAfterMs: 1_000,
    },
  });
  try {
    return await operation(store).then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    await store.close();
  }
}

test.each([
  [507, "XMinioStorageFull"],
  [507, "SomethingOfItsOwn"],
  [403, "QuotaExceeded"],
  [400, "XMinioAdminBucketQuotaExceeded"],
  [400, "InsufficientStorage"],
])("HTTP status %i with %s is a full store, and not tried again", async (status, code) => {
  refusal = { status, code };
  const error = await refused((store) => store.put("a", Buffer.from("x")));
  expect(error).toBeInstanceOf(StoreFullError);
  expect(String(error)).toMatch(/s3:\/\/.*: put a: /);
  expect(writes).toBe(1);
  expect(await refused((store) => store.check())).toBeInstanceOf(StoreFullError);
});

test.each([
  "write /data/x: no space left on device",
  "Disk quota exceeded",
  "ENOSPC: cannot write",
])("so is an InternalError that says %j", async (message) => {
  refusal = { status: 500, code: "InternalError", message };
  expect(await refused((store) => store.put("a", Buffer.from("x")))).toBeInstanceOf(StoreFullError);
  expect(writes).toBe(1);
  refusal = { status: 403, code: "AccessDenied", message };
  const error = await refused((store) => store.put("a", Buffer.from("x")));
  expect(error).not.toBeInstanceOf(StoreFullError);
});

test.each([
  [403, "AccessDenied"],
  [500, "InternalError"],
  [503, "SlowDown"],
])("HTTP status %i with %s is none", async (status, code) => {
  refusal = { status, code };
  const error = await refused((store) => store.put("a", Buffer.from("x")));
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(error).not.toBeInstanceOf(StoreFullError);
});
