import { resolve } from "node:path";
import { STAGE_NAMES, STAGES } from "@sluice/pipeline";
import { z } from "zod";
import { type Declared, seconds, setting, type SettingDeclaration } from "./setting-declaration.js";
import {
  apiKeys,
  backupSecrets,
  catalogUrl,
  clamdUrl,
  commaList,
  httpUrl,
  objectUrl,
  queueUrl,
  whole,
} from "./setting-values.js";
import { DISK_SETTINGS } from "./disk-settings.js";
import { WATCH_SETTINGS } from "./watch-settings.js";
import { webhooks } from "./webhook-settings.js";
import type { Settings } from "./settings.js";

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const COMPRESSIONS = ["zstd", "gzip", "none"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

const S3_FORM = "s3://KEY:SECRET@HOST:PORT/BUCKET?ssl=false&region=… or file:///DIRECTORY";

/** Every setting but the concurrency of the stages, by its name in {@link Settings}. */
export const DECLARED = {
  host: setting({
    name: "HOST",
    default: "127.0.0.1",
    description: "address of the HTTP API; one that is not loopback needs API_KEYS",
    expected: "an address or a host name",
    schema: z.string().regex(/^[A-Za-z0-9.:_-]+$/),
  }),
  port: setting({
    name: "PORT",
    default: "8080",
    description: "port of the HTTP API; 0 takes a free one",
    expected: "a whole number from 0 to 65535",
    schema: whole(0, 65_535),
  }),
  dataDir: setting({
    name: "SLUICE_DATA",
    default: "./data",
    description: "directory that holds the state of everything embedded",
    expected: "the path of a directory",
    schema: z.string().transform((path) => resolve(path)),
  }),
  queueUrl: setting({
    name: "QUEUE_URL",
    default: undefined,
    description: "the queue; unset: the catalog's PostgreSQL, or the embedded one",
    expected: "redis://…, rediss://… or postgres://…/DATABASE",
    schema: queueUrl,
    secret: true,
  }),
  catalogUrl: setting({
    name: "CATALOG_URL",
    default: undefined,
    description: "the catalog; unset: embedded PostgreSQL",
    expected: "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
    schema: catalogUrl,
    secret: true,
  }),
  objectStoreUrl: setting({
    name: "OBJECT_STORE_URL",
    default: undefined,
    description: "where scripts are stored; unset: SLUICE_DATA/objects",
    expected: S3_FORM,
    schema: objectUrl,
    secret: true,
  }),
  backupUrl: setting({
    name: "BACKUP_URL",
    default: undefined,
    description: "where copies are stored; unset: SLUICE_DATA/backup",
    expected: S3_FORM,
    schema: objectUrl,
    secret: true,
  }),
  backupSecrets: setting({
    name: "BACKUP_KEY",
    default: undefined,
    description:
      "key that exports of the catalog are encrypted with, in base64; older ones, which are still needed to read, after it, separated by commas; unset: they are not encrypted",
    expected: "32 bytes in base64, as openssl rand -base64 32 gives them, separated by commas",
    schema: backupSecrets,
    secret: true,
  }),
  exportIntervalMs: setting({
    name: "EXPORT_INTERVAL_SECONDS",
    default: "60",
    description:
      "time between two exports of the catalog to the backup store: what may be lost with all other stores",
    expected: "a whole number of seconds from 1 to 86400",
    schema: seconds(1, 86_400),
  }),
  exportKeepMs: setting({
    name: "EXPORT_KEEP_DAYS",
    default: "7",
    description: "how long exports of the catalog are kept, in days",
    expected: "a whole number of days from 1 to 3650",
    schema: whole(1, 3_650).transform((days) => days * 86_400_000),
  }),
  useDaysKept: setting({
    name: "USE_DAYS",
    default: "90",
    description: "how many days back it is kept how often each script was used on each day",
    expected: "a whole number of days from 1 to 3650",
    schema: whole(1, 3_650),
  }),
  retentionIntervalMs: setting({
    name: "RETENTION_INTERVAL_SECONDS",
    default: "3600",
    description: "time between two rounds of the retention policy over all scripts",
    expected: "a whole number of seconds from 60 to 604800",
    schema: seconds(60, 604_800),
  }),
  retentionPerSecond: setting({
    name: "RETENTION_PER_SECOND",
    default: "100",
    description: "scripts that the retention policy deletes or archives in a second, at most",
    expected: "a whole number from 1 to 100000",
    schema: whole(1, 100_000),
  }),
  trashMs: setting({
    name: "TRASH_DAYS",
    default: "30",
    description: "how long what is deleted can be brought back, in days; then it is purged",
    expected: "a whole number of days from 1 to 3650",
    schema: whole(1, 3_650).transform((days) => days * 86_400_000),
  }),
  quarantineMs: setting({
    name: "QUARANTINE_DAYS",
    default: "90",
    description:
      "how long the bytes of what is no Python, or malware, are kept, in days; what was found out about them stays",
    expected: "a whole number of days from 1 to 3650",
    schema: whole(1, 3_650).transform((days) => days * 86_400_000),
  }),
  purgePerSecond: setting({
    name: "PURGE_PER_SECOND",
    default: "100",
    description: "versions that are purged in a second, at most, and as many objects",
    expected: "a whole number from 1 to 100000",
    schema: whole(1, 100_000),
  }),
  archivePerSecond: setting({
    name: "ARCHIVE_PER_SECOND",
    default: "200",
    description: "scripts whose bytes go to the archive in a second, at most",
    expected: "a whole number from 1 to 100000",
    schema: whole(1, 100_000),
  }),
  apiKeys: setting({
    name: "API_KEYS",
    default: undefined,
    description:
      "keys that callers must send, each with a name for the audit log before it if wanted (NAME:KEY), separated by commas; unset: nobody is asked for one",
    expected:
      "KEY or NAME:KEY, separated by commas, each key and name once: keys of at least 16 characters without blanks and colons; names of letters, digits and ._- that are not janitor, local, policy or retention",
    schema: apiKeys,
    secret: true,
  }),
  logLevel: setting({
    name: "LOG_LEVEL",
    default: "info",
    description: "least severe level that is logged",
    expected: `one of ${LOG_LEVELS.join(", ")}`,
    schema: z.enum(LOG_LEVELS),
  }),
  metricsHost: setting({
    name: "METRICS_HOST",
    default: "127.0.0.1",
    description: "address of a worker's /livez, /readyz and /metrics",
    expected: "an address or a host name",
    schema: z.string().regex(/^[A-Za-z0-9.:_-]+$/),
  }),
  metricsPort: setting<number | undefined>({
    name: "METRICS_PORT",
    default: undefined,
    description:
      "port of a worker's /livez, /readyz and /metrics; unset: not served; npm start chooses them itself",
    expected: "a whole number from 0 to 65535",
    schema: whole(0, 65_535),
  }),
  metricsPeers: setting({
    name: "METRICS_PEERS",
    default: undefined,
    description: "addresses whose /metrics the API adds to its own, separated by commas",
    expected: "http://HOST:PORT, separated by commas",
    schema: commaList(httpUrl),
  }),
  compression: setting({
    name: "COMPRESSION",
    default: "zstd",
    description: "how scripts are stored",
    expected: `one of ${COMPRESSIONS.join(", ")}`,
    schema: z.enum(COMPRESSIONS),
  }),
  compressionThreshold: setting({
    name: "COMPRESSION_THRESHOLD",
    default: "1024",
    description: "scripts of fewer bytes are stored as they are",
    expected: "a whole number of bytes, 0 or more",
    schema: whole(0, Number.MAX_SAFE_INTEGER),
  }),
  policyFile: setting({
    name: "POLICY_FILE",
    default: undefined,
    description:
      "policy in YAML or JSON that comes into force at start if it never was; unset: the one that comes with Sluice",
    expected: "the path of a file",
    schema: z.string().transform((path) => resolve(path)),
  }),
  pythonBin: setting<string | undefined>({
    name: "PYTHON_BIN",
    default: undefined,
    description:
      "CPython 3.8 or later that judges scripts; unset: the built-in one, 3.14 in WebAssembly",
    expected: "the path of a program, or its name on PATH",
    schema: z.string(),
  }),
  yaraRules: setting<string | undefined>({
    name: "YARA_RULES",
    default: undefined,
    description: "YARA rules to scan for besides those that come with Sluice",
    expected: "the path of a file, or of a directory of .yar files",
    schema: z.string().transform((path) => resolve(path)),
  }),
  clamdUrl: setting<string | undefined>({
    name: "CLAMD_URL",
    default: undefined,
    description:
      "ClamAV daemon that scans every script before it is judged; scripts wait while it is down; unset: none is asked",
    expected: "tcp://HOST:PORT or unix:///PATH",
    schema: clamdUrl,
  }),
  clamdTimeoutMs: setting({
    name: "CLAMD_TIMEOUT_SECONDS",
    default: "30",
    description: "how long the ClamAV daemon may take to scan one script",
    expected: "a whole number of seconds from 1 to 60",
    schema: seconds(1, 60),
  }),
  analysisMemoryMb: setting({
    name: "ANALYSIS_MEMORY_MB",
    default: "1024",
    description: "memory that one analysing thread may take, in megabytes",
    expected: "a whole number from 256 to 16384",
    schema: whole(256, 16_384),
  }),
  uploadMemoryMb: setting({
    name: "UPLOAD_MEMORY_MB",
    default: "256",
    description:
      "memory that uploads under way may take in the API's process; what is more is told to come later",
    expected: "a whole number of megabytes from 16 to 65536",
    schema: whole(16, 65_536),
  }),
  leaseMs: setting({
    name: "LEASE_SECONDS",
    default: "30",
    description: "how long a worker holds a script before another may take it over",
    expected: "a whole number of seconds from 1 to 3600",
    schema: seconds(1, 3_600),
  }),
  janitorIntervalMs: setting({
    name: "JANITOR_INTERVAL_SECONDS",
    default: "5",
    description: "time between two rounds of the janitor",
    expected: "a whole number of seconds from 1 to 3600",
    schema: seconds(1, 3_600),
  }),
  orphanGraceMs: setting({
    name: "ORPHAN_GRACE_SECONDS",
    default: "3600",
    description: "age at which an object that nothing refers to is deleted",
    expected: "a whole number of seconds from 60 to 31536000",
    schema: seconds(60, 31_536_000),
  }),
  webhooks: setting({
    name: "WEBHOOKS",
    default: undefined,
    description: "whom events are sent to, signed, see docs/webhooks.md; unset: nobody",
    expected:
      'a JSON list of {"name", "url", "secrets": ["whsec_…"], "severity": "warning", "kinds": []}',
    schema: webhooks,
    secret: true,
    tellsWhy: true,
  }),
  scrubIntervalMs: setting({
    name: "SCRUB_INTERVAL_DAYS",
    default: "7",
    description: "time between the starts of two passes in which everything stored is read again",
    expected: "a whole number of days from 1 to 365",
    schema: whole(1, 365).transform((days) => days * 86_400_000),
  }),
  scrubObjectsPerSecond: setting({
    name: "SCRUB_OBJECTS_PER_SECOND",
    default: "200",
    description: "objects that such a pass reads in a second at most, of both stores together",
    expected: "a whole number from 1 to 100000",
    schema: whole(1, 100_000),
  }),
  scrubBytesPerSecond: setting({
    name: "SCRUB_BYTES_PER_SECOND",
    default: "16777216",
    description: "bytes that such a pass reads in a second at most, of both stores together",
    expected: "a whole number from 1024 to 100000000000",
    schema: whole(1_024, 100_000_000_000),
  }),
  ...WATCH_SETTINGS,
  ...DISK_SETTINGS,
  drainTimeoutMs: setting({
    name: "DRAIN_TIMEOUT_SECONDS",
    default: "30",
    description: "how long a process that was asked to stop may take to finish its work",
    expected: "a whole number of seconds from 1 to 3600",
    schema: seconds(1, 3_600),
  }),
} satisfies {
  [Key in Exclude<keyof Settings, "concurrency">]:
    | Declared<NonNullable<Settings[Key]>>
    | Declared<Settings[Key]>;
};

/** `<STAGE>_CONCURRENCY` of each stage. */
export const CONCURRENCY = STAGE_NAMES.map((stage) => ({
  stage,
  declared: setting({
    name: `${stage.toUpperCase()}_CONCURRENCY`,
    default: String(STAGES[stage].concurrency),
    description: `scripts that one ${stage} process works on at once`,
    expected: "a whole number from 1 to 1024",
    schema: whole(1, 1_024),
  }),
}));

/** Every setting there is, in the order in which they are printed. */
export const SETTINGS: readonly SettingDeclaration[] = [
  ...Object.values(DECLARED),
  ...CONCURRENCY.map(({ declared }) => declared),
].map(({ name, default: value, description, expected, secret }) => ({
  name,
  default: value,
  description,
  expected,
  secret,
}));
