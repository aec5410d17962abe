import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Client } from "minio";

import { freePorts } from "../../packages/standalone/src/ports.js";
import { parseObjectStoreUrl, type S3Location } from "@sluice/object-store";
import { temporaryDirectory } from "./guard.js";
import { findS3Program, type S3Kind } from "./s3-programs.js";
import { TestServer } from "./server.js";

/** An S3 server to test against. */
export interface S3Server {
  /** URL of a bucket that nobody else uses. */
  bucketUrl(): string;
  /** The server itself; `undefined` where it is somebody else's, named by `S3_TEST_URL`. */
  readonly own: TestServer | undefined;
  /** Ends it, or cleans up on somebody else's. */
  stop(): Promise<void>;
}

const ACCESS_KEY = "sluice-test";
const SECRET_KEY = "sluice/test+secret";

/**
 * Starts an S3 server; `minio` is the one that `S3_TEST_URL` names where that is set.
 *
 * @param data - where it keeps its objects, which is left alone when it is stopped; a directory of its own if not said
 */
export async function startS3(
  kind: S3Kind,
  { data: given }: { data?: string } = {},
): Promise<S3Server> {
  const external = process.env["S3_TEST_URL"] ?? "";
  if (kind === "minio" && external !== "") return useExternal(external);
  const program = findS3Program(kind);
  if (program === undefined) throw new Error(`${kind} is not there`);
  const [port] = (await freePorts(1)) as [number];
  const directory = temporaryDirectory();
  const data = given ?? join(directory, "data");
  mkdirSync(data, { recursive: true });
  const sidecar = join(directory, "sidecar");
  mkdirSync(sidecar);
  const { args, env } = COMMANDS[kind](`127.0.0.1:${port}`, data, sidecar);
  const server = new TestServer({
    name: kind,
    directory,
    stopSignal: "SIGTERM",
    spawn: () =>
      spawn(program, args, { detached: true, env: { ...process.env, HOME: directory, ...env } }),
    isReady: async () => (await fetch(`http://127.0.0.1:${port}/`)).status < 500,
  });
  await server.start();
  const user = `${ACCESS_KEY}:${encodeURIComponent(SECRET_KEY)}`;
  return {
    bucketUrl: () => `s3://${user}@127.0.0.1:${port}/${bucketName()}?ssl=false`,
    own: server,
    stop: () => server.stop(),
  };
}

const COMMANDS: Readonly<
  Record<
    S3Kind,
    (address: string, data: string, sidecar: string) => { args: string[]; env: NodeJS.ProcessEnv }
  >
> = {
  minio: (address, data) => ({
    args: ["server", "--quiet", "--address", address, data],
    env: {
      MINIO_ROOT_USER: ACCESS_KEY,
      MINIO_ROOT_PASSWORD: SECRET_KEY,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    },
  }),
  versitygw: (address, data, sidecar) => ({
    // Without a sidecar directory it needs a file system with extended attributes.
    args: ["--quiet", "--port", address, "posix", "--sidecar", sidecar, data],
    env: { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
  }),
};

function bucketName(): string {
  return `sluice-test-${randomBytes(8).toString("hex")}`;
}

function useExternal(text: string): S3Server {
  const location = parseObjectStoreUrl(text);
  if (location.kind !== "s3") throw new Error("S3_TEST_URL must be an s3:// URL");
  const buckets: string[] = [];
  return {
    bucketUrl: () => {
      const url = new URL(text);
      const bucket = bucketName();
      buckets.push(bucket);
      url.pathname = `/${bucket}`;
      return url.href;
    },
    own: undefined,
    stop: () => removeBuckets(location, buckets),
  };
}

async function removeBuckets(location: S3Location, buckets: readonly string[]): Promise<void> {
  const client = new Client({
    endPoint: location.host,
    ...(location.port === undefined ? {} : { port: location.port }),
    useSSL: location.ssl,
    region: location.region,
    accessKey: location.accessKey,
    secretKey: location.secretKey,
  });
  for (const bucket of buckets) {
    if (!(await client.bucketExists(bucket))) continue;
    const keys: string[] = [];
    for await (const { name } of client.listObjectsV2(bucket, "", true)) keys.push(name);
    await client.removeObjects(bucket, keys);
    await client.removeBucket(bucket);
  }
}
