import { isIPv4 } from "node:net";
import { resolve } from "node:path";
import { STAGE_NAMES, STAGES, type StageName } from "@sluice/pipeline";
import { z } from "zod";
import {
  type ApiKey,
  apiKeys,
  catalogUrl,
  clamdUrl,
  commaList,
  httpUrl,
  objectUrl,
  queueUrl,
  whole,
} from "./setting-values.js";

export type { ApiKey } from "./setting-values.js";

/** Everything that the environment decides, checked. An unset URL is `undefined`. */
export interface Settings {
  /** Address that the HTTP API listens on. */
  readonly host: string;
  readonly port: number;
  /** Absolute path of the directory that `npm start` keeps its state in. */
  readonly dataDir: string;
  readonly queueUrl: string | undefined;
  readonly catalogUrl: string | undefined;
  readonly objectStoreUrl: string | undefined;
  readonly backupUrl: string | undefined;
  readonly logLevel: LogLevel;
  /** Keys that callers of the HTTP API must send; empty means that none is asked for. */
  readonly apiKeys: readonly ApiKey[];
  /** Address of a worker's own `/livez`, `/readyz` and `/metrics`. */
  readonly metricsHost: string;
  /** Port of the same; a worker without one serves none. */
  readonly metricsPort: number | undefined;
  /** URLs whose metrics ingest adds to its own `/metrics`. */
  readonly metricsPeers: readonly string[];
  /** Scripts that one process of a stage works on at once. */
  readonly concurrency: Readonly<Record<StageName, number>>;
  readonly compression: Compression;
  /** Sources shorter than this many bytes are stored as they are. */
  readonly compressionThreshold: number;
  /** Absolute path of a policy in YAML or JSON, instead of the one that comes with Sluice. */
  readonly policyFile: string | undefined;
  /** Path of the CPython that judges scripts, or its name on PATH, instead of the built-in one. */
  readonly pythonBin: string | undefined;
  /** Path of a file or directory of YARA rules to scan for besides those that come with Sluice. */
  readonly yaraRules: string | undefined;
  /** The ClamAV daemon that every script must have passed; `undefined` where none is asked. */
  readonly clamdUrl: string | undefined;
  /** How long it may take to scan one script, in milliseconds. */
  readonly clamdTimeoutMs: number;
  /** Memory that one analysing thread may take, in megabytes. */
  readonly analysisMemoryMb: number;
  /** Memory that the uploads under way may take in the API's process, in megabytes. */
  readonly uploadMemoryMb: number;
  /** How long a worker holds a script before another may take it over, in milliseconds. */
  readonly leaseMs: number;
  /** Time between two rounds of the janitor, in milliseconds. */
  readonly janitorIntervalMs: number;
  /** Age at which an object that no row refers to is deleted, in milliseconds. */
  readonly orphanGraceMs: number;
  /** How long a process that was asked to stop may take to finish its work, in milliseconds. */
  readonly drainTimeoutMs: number;
}

/** {@link Settings} of a process that needs every store. */
export interface ServiceSettings extends Settings {
  readonly queueUrl: string;
  readonly catalogUrl: string;
  readonly objectStoreUrl: string;
  readonly backupUrl: string;
}

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const COMPRESSIONS = ["zstd", "gzip", "none"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** One setting, as `--help` and the README print it. */
export interface SettingDeclaration {
  /** Name of the environment variable. */
  readonly name: string;
  /** What holds where the variable is unset or empty, as it would be written. */
  readonly default: string | undefined;
  readonly description: string;
  /** What a right value looks like, as an error says it after "expected". */
  readonly expected: string;
  /** A value that is never printed. */
  readonly secret: boolean;
}

interface Declared<T> extends SettingDeclaration {
  readonly schema: z.ZodType<T, string>;
}

function setting<T>(declared: Omit<Declared<T>, "secret"> & { secret?: boolean }): Declared<T> {
  return { secret: false, ...declared };
}

/** A whole number of seconds in the environment, milliseconds in the program. */
function seconds(min: number, max: number): z.ZodType<number, string> {
  return whole(min, max).transform((value) => value * 1000);
}

const S3_FORM = "s3://KEY:SECRET@HOST:PORT/BUCKET?ssl=false&region=… or file:///DIRECTORY";

const DECLARED = {
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
  apiKeys: setting({
    name: "API_KEYS",
    default: undefined,
    description:
      "keys that callers must send, each with a name for the audit log before it if wanted (NAME:KEY), separated by commas; unset: nobody is asked for one",
    expected:
      "KEY or NAME:KEY, separated by commas, each key and name once: keys of at least 16 characters without blanks and colons; names of letters, digits and ._- that are not janitor, local or policy",
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

const CONCURRENCY = STAGE_NAMES.map((stage) => ({
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

/** One setting that is wrong. */
export interface SettingProblem {
  readonly name: string;
  /** A sentence without the value of anything secret. */
  readonly message: string;
}

/** Names every wrong setting at once. Its message is one line and holds no secret. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly SettingProblem[]) {
    super(
      `Wrong settings: ${problems.map(({ name, message }) => `${name} ${message}`).join("; ")}`,
    );
    this.name = "SettingsError";
  }
}

class Reader {
  readonly problems: SettingProblem[] = [];

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  read<T>(declared: Declared<T>): T | undefined {
    // Compose files and shells hand on an unset variable as an empty one.
    const value = this.env[declared.name]?.trim() || declared.default;
    if (value === undefined) return undefined;
    const parsed = declared.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const shown = declared.secret ? "" : ` instead of ${JSON.stringify(value.slice(0, 100))}`;
    this.problem(declared.name, `must be ${declared.expected}${shown}`);
    return undefined;
  }

  problem(name: string, message: string): void {
    this.problems.push({ name, message });
  }
}

/**
 * Finds what a setting names.
 *
 * @param name - of the setting
 * @param find - throws where there is no such thing, with a message that goes on from the setting's name
 * @throws {@link SettingsError} with that message
 */
export async function resolveSetting<T>(name: string, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SettingsError([{ name, message }]);
  }
}

/** Says whether an address can be reached from its own machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

function read(env: NodeJS.ProcessEnv, required: readonly Declared<unknown>[]): Settings {
  const reader = new Reader(env);
  const settings: Record<string, unknown> = {};
  for (const [key, declared] of Object.entries(DECLARED)) {
    settings[key] = reader.read<unknown>(declared);
  }
  settings["apiKeys"] ??= [];
  settings["metricsPeers"] ??= [];
  settings["concurrency"] = Object.fromEntries(
    CONCURRENCY.map(({ stage, declared }) => [stage, reader.read(declared)]),
  );

  const wrong = new Set(reader.problems.map(({ name }) => name));
  for (const declared of required) {
    if (!wrong.has(declared.name) && !env[declared.name]?.trim()) {
      reader.problem(declared.name, `is not set and must be ${declared.expected}`);
    }
  }
  const { host, apiKeys: keys } = settings as {
    host: string | undefined;
    apiKeys: readonly ApiKey[];
  };
  if (host !== undefined && !isLoopback(host) && !wrong.has("API_KEYS") && keys.length === 0) {
    reader.problem(
      "HOST",
      `is ${JSON.stringify(host)}, which other machines can reach: set API_KEYS, or use 127.0.0.1`,
    );
  }
  if (reader.problems.length > 0) throw new SettingsError(reader.problems);
  return settings as unknown as Settings;
}

/**
 * Reads and checks all settings.
 *
 * @throws {@link SettingsError} that names every wrong one
 */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  return read(env, []);
}

/**
 * The same, for a process that needs every store.
 *
 * @throws {@link SettingsError} that names every wrong or missing one
 */
export function loadServiceSettings(env: NodeJS.ProcessEnv): ServiceSettings {
  const { queueUrl, catalogUrl, objectStoreUrl, backupUrl } = DECLARED;
  return read(env, [queueUrl, catalogUrl, objectStoreUrl, backupUrl]) as ServiceSettings;
}
