import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { openObjectStore, parseObjectStoreUrl } from "@sluice/object-store";
import { Client } from "minio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { describeWith, type S3Server, startS3, temporaryDirectory } from "../servers/index.js";
import { objectStoreContract } from "./object-store.contract.js";

describe("a directory", () => {
  const url = pathToFileURL(join(temporaryDirectory(), "made", "by open")).href;
  objectStoreContract(() => openObjectStore(url));

  test("is not made where it must exist", async () => {
    const missing = pathToFileURL(join(temporaryDirectory(), "missing"));
    const opened = openObjectStore(missing.href, { mustExist: true });
    await expect(opened).rejects.toThrow(/missing: there is no such directory/);
    expect(existsSync(missing)).toBe(false);
  });
});

for (const kind of ["minio", "versitygw"] as const) {
  describeWith([kind], kind, () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await startS3(kind);
    });
    afterAll(() => server.stop());
    objectStoreContract(() => openObjectStore(server.bucketUrl()));

    test("makes no bucket where it must exist", async () => {
      const url = server.bucketUrl();
      for (let attempt = 1; attempt <= 2; attempt += 1)
        await expect(openObjectStore(url, { mustExist: true })).rejects.toThrow(
          /there is no bucket/,
        );
      await (await openObjectStore(url)).close();
      await (await openObjectStore(url, { mustExist: true })).close();
    });

    test("tells what somebody else has put among the objects, and lists the rest", async () => {
      const url = server.bucketUrl();
      const store = await openObjectStore(url);
      const location = parseObjectStoreUrl(url);
      if (location.kind !== "s3") throw new Error(`not of S3: ${url}`);
      const { host: endPoint, port, bucket, accessKey, secretKey } = location;
      const client = new Client({
        endPoint,
        ...(port === undefined ? {} : { port }),
        useSSL: location.ssl,
        accessKey,
        secretKey,
      });
      for (const key of ["a/my notes.txt", "a/kept", "b/"])
        await client.putObject(bucket, key, Buffer.from(key.endsWith("/") ? "" : "x"));
      const foreign: string[] = [];
      const kept: string[] = [];
      for await (const { key } of store.list("", ({ name }) => foreign.push(name))) kept.push(key);
      expect(kept).toEqual(["a/kept"]);
      expect(foreign.toSorted()).toEqual(["a/my notes.txt", "b/"]);
      await store.close();
    });
  });
}
