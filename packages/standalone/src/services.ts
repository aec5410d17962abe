import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { STAGE_NAMES, type StageName } from "@sluice/pipeline";
import {
  EXIT_WRONG_SETTINGS,
  type Readiness,
  type ServiceSettings,
  writeDiskPaths,
} from "@sluice/runtime";
import { freePorts } from "./ports.js";
import { StartError } from "./start-error.js";
import type { Program } from "./supervisor.js";

export type ServiceName = "ingest" | StageName | "index" | "janitor" | "watch";

/** Every process of Sluice but ingest, by the name of its folder under `services/`. */
function namesOfOthers({ watchDirs }: ServiceSettings): readonly ServiceName[] {
  return [
    ...STAGE_NAMES,
    "index",
    "janitor",
    ...(watchDirs.length > 0 ? (["watch"] as const) : []),
  ];
}

/** A service that can be started. */
export interface Service extends Program {
  readonly name: ServiceName;
  /** Where it says whether it is ready. */
  readonly readyUrl: string;
}

const FOLDER = fileURLToPath(new URL("../../../services", import.meta.url));
const POLL_MS = 100;
/** Beyond the time that a service gives itself. */
const STOP_MARGIN_MS = 5_000;

/**
 * Prepares every service with the settings and a free port of its own on loopback.
 *
 * @throws {@link StartError} where one is not built
 */
export async function prepareServices(settings: ServiceSettings): Promise<Service[]> {
  const others = namesOfOthers(settings);
  const ports = await freePorts(others.length);
  const peers = ports.map((port) => `http://127.0.0.1:${port}`);
  const common = {
    ...process.env,
    QUEUE_URL: settings.queueUrl,
    CATALOG_URL: settings.catalogUrl,
    OBJECT_STORE_URL: settings.objectStoreUrl,
    BACKUP_URL: settings.backupUrl,
    SLUICE_DATA: settings.dataDir,
    DISK_PATHS: writeDiskPaths(settings.diskPaths),
    WATCH_UPLOAD_URL: apiUrl(settings.host, settings.port),
  };
  const ingest = {
    ...common,
    PORT: String(settings.port),
    METRICS_PORT: "",
    METRICS_PEERS: [...settings.metricsPeers, ...peers].join(","),
  };
  return [
    service("ingest", ingest, apiUrl(settings.host, settings.port), settings),
    ...others.map((name, index) => {
      const env = {
        ...common,
        METRICS_HOST: "127.0.0.1",
        METRICS_PORT: String(ports[index]),
        METRICS_PEERS: "",
      };
      return service(name, env, peers[index] ?? "", settings);
    }),
  ];
}

/** Where this machine reaches an API that listens on the address. */
export function apiUrl(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

function service(
  name: ServiceName,
  env: NodeJS.ProcessEnv,
  url: string,
  settings: ServiceSettings,
): Service {
  const main = join(FOLDER, name, "dist", "main.js");
  if (!existsSync(main))
    throw new StartError(`${main} is missing: build Sluice first (npm run build)`);
  const readyUrl = `${url}/readyz`;
  return {
    name,
    readyUrl,
    stopSignal: "SIGTERM",
    killSignal: "SIGKILL",
    stopTimeoutMs: settings.drainTimeoutMs + STOP_MARGIN_MS,
    hopelessExitCode: EXIT_WRONG_SETTINGS,
    // Out of reach of the terminal's Ctrl-C, so that the order of stopping is kept; the channel tells
    // the child when this process is gone.
    spawn: () =>
      spawn(process.execPath, ["--enable-source-maps", main], {
        env,
        detached: true,
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      }),
    async untilReady(_child, ended) {
      while (!ended.aborted && (await whyNotReady(readyUrl)) !== undefined) {
        await delay(POLL_MS, undefined, { signal: ended }).catch(() => {});
      }
    },
  };
}

/**
 * Asks a service whether it can work.
 *
 * @returns `undefined` where it can, else what is missing
 */
export function whyNotReady(readyUrl: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(readyUrl, { agent: false, timeout: 5_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("error", () => resolve("its answer broke off"));
      response.on("end", () => resolve(response.statusCode === 200 ? undefined : missingIn(body)));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve("it does not answer yet"));
  });
}

function missingIn(body: string): string {
  try {
    const { failed } = JSON.parse(body) as Partial<Readiness>;
    return (
      (failed ?? []).map(({ name, error }) => `${name}: ${error}`).join(", ") || "it is not ready"
    );
  } catch {
    return "it is not ready";
  }
}
