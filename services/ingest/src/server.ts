import { createServer, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type ProblemCode, PROBLEMS } from "@sluice/contracts";
import type { Express } from "express";
import { v7 as uuidv7 } from "uuid";

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export interface RunningServer {
  readonly port: number;
  /** Takes no more connections, and resolves when every request under way has been answered. */
  close(): Promise<void>;
}

/** @throws where the address is taken or not this machine's */
export async function listen(app: Express, { host, port }: ListenOptions): Promise<RunningServer> {
  const open = new Set<ServerResponse>();
  const server = createServer(
    {
      // 10 MB over a line of 1 Mbit/s take 84 seconds.
      requestTimeout: 120_000,
      headersTimeout: 15_000,
      // Longer than the minute after which load balancers drop idle connections, so that it is they who do.
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 5_000,
    },
    (req, res) => {
      open.add(res);
      res.once("close", () => open.delete(res));
      app(req, res);
    },
  );
  server.on("clientError", answerClientError);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => drain(server, open),
  };
}

function drain(server: Server, open: ReadonlySet<ServerResponse>): Promise<void> {
  for (const res of open) if (!res.headersSent) res.setHeader("Connection", "close");
  return new Promise((resolve) => {
    // A connection that becomes idle after `close` would be kept alive, and with it the server.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearInterval(sweep);
      resolve();
    });
  });
}

const CLIENT_ERRORS: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** What Node's parser refuses never becomes a request; it is answered on the bare socket. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = CLIENT_ERRORS[error.code ?? ""] ?? "malformed_request";
  const { status, title, help } = PROBLEMS[code];
  const body = JSON.stringify({
    type: `/docs/problems#${code}`,
    title,
    status,
    detail: help,
    instance: "/",
    code,
    request_id: uuidv7(),
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
