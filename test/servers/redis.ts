import { spawn } from "node:child_process";
import { connect } from "node:net";

import { freePorts } from "../../packages/standalone/src/ports.js";
import { temporaryDirectory } from "./guard.js";
import { TestServer } from "./server.js";

export interface RedisServer extends TestServer {
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
}

/**
 * Redis as the queue needs it: append-only file, no eviction.
 *
 * @param command - put in front of the command line
 */
export async function startRedis({
  directory = temporaryDirectory(),
  command = [],
}: {
  directory?: string;
  command?: readonly string[];
} = {}): Promise<RedisServer> {
  const [port] = (await freePorts(1)) as [number];
  const settings = {
    bind: "127.0.0.1",
    port,
    dir: directory,
    appendonly: "yes",
    save: "",
    "maxmemory-policy": "noeviction",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = new TestServer({
    name: "redis-server",
    directory,
    stopSignal: "SIGTERM",
    spawn: () => {
      const [program = "", ...rest] = [...command, "redis-server", ...args];
      return spawn(program, rest, { detached: true });
    },
    isReady: () => answersPing(port),
  });
  await server.start();
  return Object.assign(server, { url: `redis://127.0.0.1:${port}` });
}

/** While it reads its append-only file it answers -LOADING. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString().startsWith("+PONG"));
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(false));
  });
}
