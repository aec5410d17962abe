/**
 * Real servers for tests, each on a free port of loopback with its data in a temporary directory. All
 * that is started here ends with the test run, however that ends.
 */
export { guard, temporaryDirectory } from "./guard.js";
export { chromiumPath, describeWith, sharedPostgres } from "./parts.js";
export { type ClamdServer, eicar, EICAR_SIGNATURE, startClamd } from "./clamd.js";
export { createDatabase, type PostgresServer, startPostgres } from "./postgres.js";
export { type Filling, mountSmallDisk, type SmallDisk } from "./small-disk.js";
export { type RedisServer, startRedis } from "./redis.js";
export { type S3Server, startS3 } from "./s3.js";
