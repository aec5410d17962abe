/** `sluice retention …`: what is wrong with a retention policy, what would go by it, and putting it in force on a server. */
import { readFile } from "node:fs/promises";
import type { Retention, RetentionDryRun } from "@sluice/contracts";
import { PolicyError } from "@sluice/policy-documents";
import { visible } from "@sluice/report-formats";
import { parseRetentionPolicy, type RetentionPolicy } from "@sluice/retention";
import { fileError } from "../files/failure.js";
import { Output } from "../output.js";
import { Server, type ServerArguments } from "../server.js";
import { UsageError } from "../usage-error.js";
import { RetentionServer } from "./server.js";

export interface RetentionDryRunArguments extends ServerArguments {
  readonly format: "text" | "json";
}

const OK = 0;
const SOME = 1;

/** @returns the exit code */
export async function checkRetention(file: string): Promise<number> {
  const output = new Output(process.stdout);
  const written = await readWritten(file, output);
  if (written === undefined) return SOME;
  const { name, version, rules } = written.policy;
  const lines = rules.map((rule) => `\n  ${rule.action} ${rule.of}: ${visible(rule.name)}`);
  await output.write(
    `${visible(file)}: ${visible(name)}, version ${visible(version)}${lines.join("")}\n`,
  );
  return OK;
}

export async function showRetention({ server }: ServerArguments): Promise<number> {
  const { body } = await serverOf(server).read();
  const lines = standing(body).map((line) => `# ${line}\n`);
  await new Output(process.stdout).write(`${lines.join("")}${body.policy?.source ?? ""}`);
  return OK;
}

/** @returns 1 where something would go */
export async function dryRunRetention(
  file: string,
  { server, format }: RetentionDryRunArguments,
): Promise<number> {
  const output = new Output(process.stdout);
  const written = await readWritten(file, output);
  if (written === undefined) return SOME;
  const items: RetentionDryRun["items"] = [];
  let first: RetentionDryRun | undefined;
  let counts: RetentionDryRun["counts"] | undefined;
  for await (const page of serverOf(server).dryRun(written.source)) {
    first ??= page;
    counts = counts === undefined ? page.counts : add(counts, page.counts);
    if (format === "json") items.push(...page.items);
    else await output.write(page.items.map(itemText).join(""));
  }
  if (first === undefined || counts === undefined) return OK;
  const { version, at } = first;
  await output.write(
    format === "json"
      ? `${JSON.stringify({ version, at, counts, items }, null, 2)}\n`
      : countsText(version, at, counts),
  );
  return counts.versions_deleted + counts.versions_archived === 0 ? OK : SOME;
}

export async function applyRetention(file: string, { server }: ServerArguments): Promise<number> {
  const output = new Output(process.stdout);
  const written = await readWritten(file, output);
  if (written === undefined) return SOME;
  const remote = serverOf(server);
  const { tag } = await remote.read();
  const now = await remote.put(written.source, tag);
  await output.write(
    standing(now)
      .map((line) => `${line}\n`)
      .join(""),
  );
  return OK;
}

function serverOf(url: string | undefined): RetentionServer {
  return new RetentionServer(new Server(url, process.env));
}

/**
 * @returns `undefined` where it has mistakes, which are written
 * @throws UsageError where the file cannot be read
 */
async function readWritten(
  file: string,
  output: Output,
): Promise<{ readonly policy: RetentionPolicy; readonly source: string } | undefined> {
  let source: string;
  try {
    source = await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(
      `the retention policy ${visible(file)} cannot be used: ${fileError(error).message}`,
    );
  }
  try {
    return { policy: parseRetentionPolicy(source), source };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const lines = error.problems.map(({ path, message, line, column }) => {
      const place = line === undefined ? "" : `:${line}:${column ?? 1}`;
      const what = path === "" ? message : `${path}: ${message}`;
      return `${visible(file)}${place}: ${visible(what)}\n`;
    });
    await output.write(lines.join(""));
    return undefined;
  }
}

function standing({ policy, pause, last_round: round }: Retention): string[] {
  const lines =
    policy === null
      ? ["no retention policy is in force: everything is kept"]
      : [
          `${visible(policy.name)} ${visible(policy.version)}, in force since ${policy.activated_at} by ${visible(policy.activated_by)}`,
        ];
  if (pause !== null)
    lines.push(
      `paused since ${pause.at}: ${visible(pause.message)} (POST /api/v1/retention/confirm with pause_id ${pause.id})`,
    );
  if (round !== null)
    lines.push(
      `last round from ${round.started_at} to ${round.finished_at}: ${round.versions} versions looked at; ${round.scripts_deleted} scripts ` +
        `and ${round.versions_deleted} versions deleted, ${round.versions_archived} versions archived, ${round.left} left for the next round`,
    );
  return lines;
}

function itemText(item: RetentionDryRun["items"][number]): string {
  const which = item.version === null ? "" : ` version ${item.version}`;
  return `${item.action} ${visible(item.namespace)}/${visible(item.filename)}${which} (${item.script_id}): ${visible(item.rule)}\n`;
}

function countsText(version: string, at: string, counts: RetentionDryRun["counts"]): string {
  const head = `${visible(version)}: of ${counts.versions} versions of ${counts.scripts} scripts`;
  if (counts.versions_deleted + counts.versions_archived === 0)
    return `${head} nothing would go at ${at}\n`;
  return (
    `${head} would go at ${at}:\n` +
    `  ${counts.versions_deleted} deleted, those of ${counts.scripts_deleted} scripts that go as a whole included; frees ${counts.freed_bytes} bytes once the trash is emptied\n` +
    `  ${counts.versions_archived} archived; moves ${counts.archived_bytes} bytes\n`
  );
}

function add(
  a: RetentionDryRun["counts"],
  b: RetentionDryRun["counts"],
): RetentionDryRun["counts"] {
  return {
    scripts: a.scripts + b.scripts,
    versions: a.versions + b.versions,
    scripts_deleted: a.scripts_deleted + b.scripts_deleted,
    versions_deleted: a.versions_deleted + b.versions_deleted,
    versions_archived: a.versions_archived + b.versions_archived,
    freed_bytes: a.freed_bytes + b.freed_bytes,
    archived_bytes: a.archived_bytes + b.archived_bytes,
  };
}
