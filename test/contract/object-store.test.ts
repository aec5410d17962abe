import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { openObjectStore } from "@sluice/object-store";
import { afterAll, beforeAll, describe } from "vitest";

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
  });
}
