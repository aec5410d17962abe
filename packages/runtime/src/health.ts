import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.js";

/** One thing that a process cannot do its work without. */
export interface Check {
  readonly name: string;
  /** Rejects where it does not work. */
  readonly check: () => Promise<void>;
  /** Says of what it rejected with that the process does part of its work all the same; absent: never. */
  readonly tolerates?: (error: unknown) => boolean;
}

/**
 * What `/readyz` answers: 503 where the status is `unavailable`, else 200. `degraded`: all that failed
 * is tolerated.
 */
export interface Readiness {
  readonly status: "ok" | "degraded" | "unavailable";
  readonly failed: readonly { readonly name: string; readonly error: string }[];
}

const CHECK_TIMEOUT_MS = 2_000;

interface Failure {
  readonly name: string;
  readonly error: string;
  readonly tolerated: boolean;
}

async function failureOf({ name, check, tolerates }: Check): Promise<Failure[]> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)),
      CHECK_TIMEOUT_MS,
    );
  });
  try {
    await Promise.race([check(), timeout]);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ name, error: message, tolerated: tolerates?.(error) ?? false }];
  } finally {
    clearTimeout(timer);
  }
}

/** Runs all checks at once. One that has not answered after two seconds has failed. */
export async function readiness(checks: readonly Check[]): Promise<Readiness> {
  const failures = (await Promise.all(checks.map(failureOf))).flat();
  const failed = failures.map(({ name, error }) => ({ name, error }));
  if (failed.length === 0) return { status: "ok", failed };
  return {
    status: failures.every(({ tolerated }) => tolerated) ? "degraded" : "unavailable",
    failed,
  };
}

export interface HealthServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly checks: readonly Check[];
  readonly metrics: Metrics;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

async function answer(
  path: string,
  options: HealthServerOptions,
): Promise<[number, string, string]> {
  switch (path) {
    case "/livez":
      return [200, "application/json", '{"status":"ok"}'];
    case "/readyz": {
      const ready = await readiness(options.checks);
      return [
        ready.status === "unavailable" ? 503 : 200,
        "application/json",
        JSON.stringify(ready),
      ];
    }
    case "/metrics": {
      const { registry } = options.metrics;
      return [200, registry.contentType, await registry.metrics()];
    }
    default:
      return [404, "application/json", '{"status":"not_found"}'];
  }
}

/**
 * Serves `GET /livez` (the process runs), `/readyz` (and can work; else 503, naming what failed) and
 * `/metrics` of a process that has no other HTTP server.
 *
 * @throws where the address is taken or not this machine's
 */
export function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    try {
      const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
      const [status, type, body] = await answer(path, options);
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : body);
    } catch (error) {
      response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
      response.end(error instanceof Error ? error.message : String(error));
    }
  };
  const server = createServer((request, response) => void respond(request, response));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}
