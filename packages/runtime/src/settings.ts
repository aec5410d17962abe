import { isIPv4 } from "node:net";
import type { StageName } from "@sluice/pipeline";
import type { z } from "zod";
import { type Compression, CONCURRENCY, DECLARED, type LogLevel } from "./declared-settings.js";
import type { Declared } from "./setting-declaration.js";
import { diskProblems } from "./disk-levels.js";
import type { ApiKey, DiskLevel, DiskPath } from "./setting-values.js";
import type { WebhookSettings } from "./webhook-settings.js";

export { SETTINGS } from "./declared-settings.js";
export type { Compression, LogLevel } from "./declared-settings.js";
export type { SettingDeclaration } from "./setting-declaration.js";
export { type ApiKey, type DiskLevel, type DiskPath, writeDiskPaths } from "./setting-values.js";
export type { WebhookSettings } from "./webhook-settings.js";

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
  /** What the catalog's exports are encrypted with: the first writes, all read; empty means that they are not. */
  readonly backupSecrets: readonly Buffer[];
  /** Time between two exports of the catalog, in milliseconds. */
  readonly exportIntervalMs: number;
  /** How many days back the use of each script on each day is kept. */
  readonly useDaysKept: number;
  /** Time between two rounds of the retention policy. */
  readonly retentionIntervalMs: number;
  /** Scripts that it deletes or archives in a second, at most. */
  readonly retentionPerSecond: number;
  /** How long what is deleted can be brought back, in milliseconds. */
  readonly trashMs: number;
  /** How long what is no Python, or malware, is kept in quarantine, in milliseconds. */
  readonly quarantineMs: number;
  /** Versions that are purged, and objects that are deleted for that, in a second, at most. */
  readonly purgePerSecond: number;
  /** Blobs that go to the archive in a second, at most. */
  readonly archivePerSecond: number;
  /** How long exports are kept, in milliseconds. */
  readonly exportKeepMs: number;
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
  /** Whom events are sent to. */
  readonly webhooks: readonly WebhookSettings[];
  /** Time between the starts of two passes of the scrub, in milliseconds. */
  readonly scrubIntervalMs: number;
  /** What the scrub may read of both stores in a second. */
  readonly scrubObjectsPerSecond: number;
  readonly scrubBytesPerSecond: number;
  /** Absolute paths of the directories whose files are uploaded. */
  readonly watchDirs: readonly string[];
  /** Where they are uploaded to. */
  readonly watchUploadUrl: string;
  /** Whether their sub-folders become namespaces. */
  readonly watchNamespaces: boolean;
  /** Patterns, as of `.gitignore`, of what is left alone in them. */
  readonly watchIgnore: readonly string[];
  /** Those where scripts of deleted files go to the trash. */
  readonly watchDeleteDirs: readonly string[];
  /** How long a file must be gone for that, in milliseconds. */
  readonly watchDeleteGraceMs: number;
  /** Where more of a directory's files are gone, none is taken for deleted. */
  readonly watchDeleteMaxPercent: number;
  /** Those where a script gets the name that its file is renamed to. */
  readonly watchRenameDirs: readonly string[];
  /** How long a file must not have changed before it is read, in milliseconds. */
  readonly watchSettleMs: number;
  /** Time between two whole scans of each, in milliseconds. */
  readonly watchScanMs: number;
  /** Whether what was refused is written to a file beside it. */
  readonly watchReport: boolean;
  /** Free space below which an alert is given. */
  readonly diskLow: DiskLevel;
  /** Free space at which it ends; `undefined`: half as much again. */
  readonly diskLowUntil: DiskLevel | undefined;
  /** Free space below which uploads are refused. */
  readonly diskFull: DiskLevel;
  /** Free space at which they are taken again; `undefined`: half as much again. */
  readonly diskFullUntil: DiskLevel | undefined;
  /** Time between two looks at the room that the stores have, in milliseconds. */
  readonly diskCheckMs: number;
  /** Disks that are watched beside those of `file://` stores. */
  readonly diskPaths: readonly DiskPath[];
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

/** The first of what is wrong: `[0].url must be …`. */
function reasonOf({ issues }: z.ZodError): string | undefined {
  const [issue] = issues;
  if (issue === undefined) return undefined;
  const place = issue.path.map((part) =>
    typeof part === "number" ? `[${part}]` : `.${String(part)}`,
  );
  return `${place.join("")} ${issue.message}`.trim();
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
    const why = declared.tellsWhy === true ? reasonOf(parsed.error) : undefined;
    if (why !== undefined) {
      this.problem(declared.name, `must be ${declared.expected}: ${why}`);
      return undefined;
    }
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
  settings["backupSecrets"] ??= [];
  for (const key of ["watchDirs", "watchDeleteDirs", "watchRenameDirs", "diskPaths", "webhooks"])
    settings[key] ??= [];
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
  for (const key of ["watchDeleteDirs", "watchRenameDirs"] as const) {
    const { watchDirs, [key]: some } = settings as unknown as Settings;
    const other = wrong.has("WATCH_DIRS")
      ? undefined
      : some.find((directory) => !watchDirs.includes(directory));
    if (other === undefined) continue;
    reader.problem(DECLARED[key].name, `names ${JSON.stringify(other)}, which WATCH_DIRS does not`);
  }
  if (![...wrong].some((name) => name.startsWith("DISK_"))) {
    for (const { name, message } of diskProblems(settings as unknown as Settings)) {
      reader.problem(name, message);
    }
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
