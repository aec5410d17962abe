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
});

for (const kind of ["minio", "versitygw"] as const) {
  describeWith([kind], kind, () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await startS3(kind);
    });
    afterAll(() => server.stop());
    objectStoreContract(() => openObjectStore(server.bucketUrl()));

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
