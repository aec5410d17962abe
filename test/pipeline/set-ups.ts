import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createDatabase,
  type PostgresServer,
  type RedisServer,
  type S3Server,
  startPostgres,
  startRedis,
  startS3,
} from "../servers/index.js";
import type { Part } from "../servers/parts.js";
import { freshDataDir } from "./installation.js";

/** The stores that one installation runs on. */
export interface SetUp {
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** URLs as the installation has them. */
  readonly objectStoreUrl: string;
  readonly backupUrl: string;
  /** Servers outside of the installation, to be disturbed. */
  readonly redis: RedisServer | undefined;
  remove(): Promise<void>;
}

/** Everything embedded, as `npm start` has it. */
async function embedded(): Promise<SetUp> {
  const dataDir = freshDataDir();
  return {
    dataDir: dataDir.path,
    env: {},
    objectStoreUrl: pathToFileURL(join(dataDir.path, "objects")).href,
    backupUrl: pathToFileURL(join(dataDir.path, "backup")).href,
    redis: undefined,
    remove: async () => dataDir.remove(),
  };
}

/** Redis, PostgreSQL, two S3 servers of different make, and a CPython that judges, as in the images. */
async function atScale(): Promise<SetUp> {
  const dataDir = freshDataDir();
  const started: (RedisServer | PostgresServer | S3Server)[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
    dataDir.remove();
  };
  try {
    const redis = await startRedis();
    started.push(redis);
    const postgres = await startPostgres();
    started.push(postgres);
    const objects = await startS3("minio");
    started.push(objects);
    const backup = await startS3("versitygw");
    started.push(backup);
    const env = {
      QUEUE_URL: `${redis.url}/0`,
      CATALOG_URL: await createDatabase(postgres),
      OBJECT_STORE_URL: objects.bucketUrl(),
      BACKUP_URL: backup.bucketUrl(),
      PYTHON_BIN: "python3",
    };
    return {
      dataDir: dataDir.path,
      env,
      objectStoreUrl: env.OBJECT_STORE_URL,
      backupUrl: env.BACKUP_URL,
      redis,
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Both, and what each needs to be there. */
export const SET_UPS: readonly {
  name: string;
  parts: readonly Part[];
  start: () => Promise<SetUp>;
}[] = [
  { name: "on embedded stores", parts: ["postgres"], start: embedded },
  {
    name: "on Redis, PostgreSQL and S3",
    parts: ["redis", "postgres", "minio", "versitygw", "python3"],
    start: atScale,
  },
];
