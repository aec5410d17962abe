/**
 * Uploads every .py file below a directory, but for those of site-packages, to a running Sluice, watches them to the end and prints how
 * long it took, how it split between the stages, and what was refused and why.
 *
 *     npx tsx test/bench/upload-tree.ts http://127.0.0.1:8080 /usr/lib/python3
 *
 * Folders become namespaces. Sends at most 16 uploads at once, each at most three times, and stops by
 * itself; the address must be one of this machine's.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Report, Status } from "@sluice/contracts";
import { isFinal, STAGE_NAMES } from "@sluice/pipeline";
import pLimit from "p-limit";
import { Client } from "../pipeline/client.js";

const UPLOADS_AT_ONCE = 16;

const [url, directory] = process.argv.slice(2);
if (url === undefined || directory === undefined) {
  process.stderr.write("usage: upload-tree.ts URL DIRECTORY\n");
  process.exit(2);
}
if (!/^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(url)) {
  process.stderr.write(`${url} is not an address of this machine\n`);
  process.exit(2);
}
await uploadTree(new Client(url), directory);

async function uploadTree(client: Client, root: string): Promise<void> {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".py") && !path.includes("site-packages"),
  );
  const begun = performance.now();
  const limit = pLimit(UPLOADS_AT_ONCE);
  const refused: string[] = [];
  let bytes = 0;
  const uploads = await Promise.all(
    paths.map((path) =>
      limit(async () => {
        const content = readFileSync(join(root, path));
        bytes += content.length;
        const folder = dirname(path);
        const query = folder === "." ? "" : `?namespace=${encodeURIComponent(toNamespace(folder))}`;
        try {
          return { path, id: (await client.upload(path, content, { query })).script_id };
        } catch (error) {
          refused.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
          return undefined;
        }
      }),
    ),
  );
  const uploaded = performance.now();
  const sent = uploads.filter((upload) => upload !== undefined);
  const ends = await Promise.all(
    sent.map(({ path, id }) =>
      limit(async () => ({ path, id, status: await untilFinal(client, id) })),
    ),
  );
  const ended = performance.now();

  print(
    `${sent.length} files, ${(bytes / 1e6).toFixed(1)} MB, refused at upload: ${refused.length}`,
  );
  for (const line of refused) print(`  ${line}`);
  const seconds = (ended - begun) / 1000;
  print(
    `uploaded in ${((uploaded - begun) / 1000).toFixed(1)} s, done after ${seconds.toFixed(1)} s: ${(sent.length / seconds).toFixed(1)} scripts/s`,
  );
  printStates(ends.map(({ status }) => status));
  printStages(ends.map(({ status }) => status));
  for (const { path, id, status } of ends) {
    if (status.state === "rejected") {
      const { syntax, findings } = await client.get<Report>(`/scripts/${id}/report`);
      const reason = syntax.error ?? findings.find(({ severity }) => severity === "error");
      print(`  rejected ${path}: ${JSON.stringify(reason)}`);
    } else if (status.state === "failed") {
      print(
        `  failed ${path}: ${JSON.stringify(status.stages.find(({ error }) => error !== null))}`,
      );
    }
  }
}

function toNamespace(folder: string): string {
  return folder.toLowerCase().replaceAll(/[^a-z0-9._/-]/g, "-");
}

async function untilFinal(client: Client, id: string): Promise<Status> {
  for (;;) {
    const status = await client.get<Status>(`/scripts/${id}/status?wait=20`);
    if (isFinal(status.state)) return status;
  }
}

function printStates(statuses: readonly Status[]): void {
  const counts = new Map<string, number>();
  for (const { state } of statuses) counts.set(state, (counts.get(state) ?? 0) + 1);
  print([...counts].map(([state, count]) => `${state}: ${count}`).join(", "));
}

function printStages(statuses: readonly Status[]): void {
  for (const name of STAGE_NAMES) {
    const durations = statuses
      .flatMap(({ stages }) =>
        stages.filter((stage) => stage.name === name && stage.state === "done"),
      )
      .map(({ duration_ms }) => duration_ms ?? 0)
      .toSorted((a, b) => a - b);
    const total = durations.reduce((sum, ms) => sum + ms, 0);
    const at = (share: number) => durations[Math.floor((durations.length - 1) * share)] ?? 0;
    print(
      `  ${name.padEnd(9)} ${String(durations.length).padStart(6)} scripts, ${(total / 1000).toFixed(1)} s of work, median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`,
    );
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
