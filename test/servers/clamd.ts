import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Clamd } from "@sluice/clamav";
import { freePorts } from "../../packages/standalone/src/ports.js";
import { temporaryDirectory } from "./guard.js";
import { TestServer } from "./server.js";

export interface ClamdServer extends TestServer {
  /** `tcp://127.0.0.1:PORT` */
  readonly url: string;
}

/** What the one signature of {@link startClamd} is called in its answers; clamd marks what is not its makers' own. */
export const EICAR_SIGNATURE = "Test.Eicar.UNOFFICIAL";

/**
 * The antivirus test file of EICAR (https://www.eicar.org/download-anti-malware-testfile/): harmless, and found by every scanner,
 * which is why it stands nowhere in this repository but is made from this, where each character is the one before.
 */
export function eicar(): string {
  const shifted = "W4N O$?@OZ3[OYW43'O](6BB(6|#DHB@Q,RS@MC@QC,@MSHUHQTR,SDRS,EHKD #G*G)";
  const characters = [...shifted].map((each) => String.fromCharCode(each.charCodeAt(0) + 1));
  return characters.join("");
}

/** ClamAV's daemon, which knows the test file of EICAR wherever it stands, and nothing else. */
export async function startClamd(
  settings: Readonly<Record<string, string>> = {},
): Promise<ClamdServer> {
  const [port] = (await freePorts(1)) as [number];
  const directory = temporaryDirectory();
  const signatures = join(directory, "signatures");
  mkdirSync(signatures);
  const hex = Buffer.from(eicar()).toString("hex");
  writeFileSync(join(signatures, "test.ndb"), `Test.Eicar:0:*:${hex}\n`);
  const configuration = join(directory, "clamd.conf");
  const lines = Object.entries({
    Foreground: "yes",
    TCPSocket: String(port),
    TCPAddr: "127.0.0.1",
    DatabaseDirectory: signatures,
    TemporaryDirectory: directory,
    ...settings,
  }).map(([name, value]) => `${name} ${value}\n`);
  writeFileSync(configuration, lines.join(""));
  const url = `tcp://127.0.0.1:${port}`;
  const server = new TestServer({
    name: "clamd",
    directory,
    stopSignal: "SIGTERM",
    spawn: () => spawn("clamd", ["--config-file", configuration], { detached: true }),
    isReady: async () => {
      await new Clamd({ url, timeoutMs: 5_000 }).check();
      return true;
    },
  });
  await server.start();
  return Object.assign(server, { url });
}
