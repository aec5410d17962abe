/** `sluice policy …`: what is wrong with a policy, what it would change on a server, and putting it in force there. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PolicyDryRun, PolicyInForce } from "@sluice/contracts";
import { visible } from "@sluice/report-formats";
import { Output } from "../output.js";
import { Server, type ServerArguments, ServerError } from "../server.js";
import { tryPolicy } from "./read.js";
import { PolicyServer } from "./server.js";

export interface ApplyArguments extends ServerArguments {
  readonly wait?: boolean;
}
export interface DryRunArguments extends ServerArguments {
  readonly format: "text" | "json";
}

const OK = 0;
const SOME = 1;
const POLL_MS = 500;

/** @returns the exit code */
export async function checkPolicy(file: string): Promise<number> {
  const output = new Output(process.stdout);
  const { policy, mistakes } = await tryPolicy(file);
  if (mistakes) return tellMistakes(output, file, mistakes);
  const { name, version, overrides } = policy.document;
  const patterns = overrides.map(({ pattern }) => `\n  otherwise in ${visible(pattern)}`);
  await output.write(
    `${visible(file)}: ${visible(name)}, version ${visible(version)}${patterns.join("")}\n`,
  );
  return OK;
}

export async function showPolicy({ server }: ServerArguments): Promise<number> {
  const { policy } = await new PolicyServer(new Server(server, process.env)).read();
  const output = new Output(process.stdout);
  await output.write(`# ${standing(policy)}\n${policy.source}`);
  return OK;
}

/** @returns 1 where something would change */
export async function dryRunPolicy(
  file: string,
  { server, format }: DryRunArguments,
): Promise<number> {
  const output = new Output(process.stdout);
  const { policy, mistakes } = await tryPolicy(file);
  if (mistakes) return tellMistakes(output, file, mistakes);
  const items: PolicyDryRun["items"] = [];
  let first: PolicyDryRun | undefined;
  for await (const page of new PolicyServer(new Server(server, process.env)).dryRun(
    policy.source,
  )) {
    first ??= page;
    if (format === "json") items.push(...page.items);
    else {
      if (page === first) await output.write(countsText(page));
      await output.write(page.items.map(itemText).join(""));
    }
  }
  const counts = first?.counts ?? null;
  if (format === "json")
    await output.write(`${JSON.stringify({ version: first?.version, counts, items }, null, 2)}\n`);
  return counts?.transitions.length === 0 ? OK : SOME;
}

export async function applyPolicy(file: string, { server, wait }: ApplyArguments): Promise<number> {
  const output = new Output(process.stdout);
  const { policy, mistakes } = await tryPolicy(file);
  if (mistakes) return tellMistakes(output, file, mistakes);
  const remote = new PolicyServer(new Server(server, process.env));
  const { tag } = await remote.read();
  let now = await remote.put(policy.source, tag);
  await output.write(`${standing(now)}\n`);
  if (!wait) return OK;
  const { id } = now;
  while (now.applied_at === null) {
    await sleep(POLL_MS);
    now = (await remote.read()).policy;
    if (now.id !== id) throw new ServerError("another policy has come into force since");
  }
  await output.write(`${standing(now)}\n`);
  return OK;
}

async function tellMistakes(
  output: Output,
  file: string,
  mistakes: readonly string[],
): Promise<number> {
  await output.write(mistakes.map((mistake) => `${visible(file)}: ${mistake}\n`).join(""));
  return SOME;
}

function standing(policy: PolicyInForce): string {
  const {
    name,
    version,
    activated_by: by,
    activated_at: since,
    outdated,
    judged,
    changed,
  } = policy;
  const progress =
    policy.applied_at === null
      ? `${outdated} stored versions still to be judged by it`
      : `all that is stored stands by it`;
  return `${visible(name)} ${visible(version)}, in force since ${since} by ${visible(by)}: ${progress}; ${judged} judged anew, ${changed} of them changed state`;
}

function countsText({ version, counts }: PolicyDryRun): string {
  if (counts === null) return "";
  const lines = counts.transitions.map(
    ({ from, to, count }) => `  ${count} from ${words(from)} to ${words(to)}\n`,
  );
  const unknown =
    counts.unknown === 0
      ? ""
      : `  ${counts.unknown} would have to be analysed again, and cannot be told\n`;
  const what = lines.length === 0 && unknown === "" ? "nothing would change" : "would change";
  return `${visible(version)}: of ${counts.versions} stored versions ${what}\n${lines.join("")}${unknown}`;
}

function itemText(item: PolicyDryRun["items"][number]): string {
  const reasons = item.reasons.map(
    ({ kind, name, from, to }) =>
      `  ${kind} ${visible(name)}: ${words(from ?? "nothing said")} → ${words(to ?? "nothing said")}\n`,
  );
  return `${visible(item.namespace)}/${visible(item.filename)} version ${item.version} (${item.script_id}): ${words(item.from)} → ${words(item.to)}\n${reasons.join("")}`;
}

function words(state: string): string {
  return state.replaceAll("_", " ");
}
