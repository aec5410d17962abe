import { createServer, type AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf, messageOf, StartError } from "./start-error.js";

/** Listens for a moment. @returns the port that it got */
function tryPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      const got = (server.address() as AddressInfo).port;
      server.close(() => resolve(got));
    });
  });
}

/**
 * Makes sure that the API will be able to listen.
 *
 * @param port - 0 takes a free one
 * @param patienceMs - how long a port in use may take to become free
 * @returns the port
 * @throws {@link StartError} where it is in use, forbidden, or the address is not this machine's
 */
export async function reservePort(
  host: string,
  port: number,
  patienceMs: number,
  signal: AbortSignal,
): Promise<number> {
  for (const end = Date.now() + patienceMs; ;) {
    try {
      return await tryPort(host, port);
    } catch (error) {
      const code = codeOf(error);
      if (code === "EADDRINUSE" && Date.now() < end) {
        await delay(100, undefined, { signal });
        continue;
      }
      switch (code) {
        case "EADDRINUSE":
          throw new StartError(`port ${port} on ${host} is in use: choose another one with PORT=`);
        case "EACCES":
          throw new StartError(
            `port ${port} needs rights that this user has not: choose one above 1023 with PORT=`,
          );
        case "EADDRNOTAVAIL":
        case "ENOTFOUND":
          throw new StartError(
            `${host} is no address of this machine: choose another one with HOST=`,
          );
        default:
          throw new StartError(`cannot listen on ${host}, port ${port}: ${messageOf(error)}`);
      }
    }
  }
}

// Below what systems hand out to outgoing connections (Linux: from 32768, others: from 49152), so that
// no such connection sits on a port while its process is started again.
const LOWEST = 18_000;
const HIGHEST = 32_000;

/** Free ports on loopback, each once. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1_000) throw new StartError("no free ports between 18000 and 32000 on 127.0.0.1");
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (ports.has(port)) continue;
    try {
      ports.add(await tryPort("127.0.0.1", port));
    } catch (error) {
      const code = codeOf(error);
      if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    }
  }
  return [...ports];
}
