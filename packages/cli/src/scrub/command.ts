/** `sluice scrub`: whether what is stored is whole. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Scrub, scrub, scrubPass, type ScrubPassBody } from "@sluice/contracts";
import { visible } from "@sluice/report-formats";
import { Output } from "../output.js";
import { Phases } from "../recovery/phases.js";
import { Server, type ServerArguments } from "../server.js";
import { UsageError } from "../usage-error.js";

export interface ScrubArguments extends ServerArguments {
  readonly start?: boolean;
  readonly trusted?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
}

const OK = 0;
const WRONG = 1;
const PAUSE_MS = 500;

/** @returns the exit code */
export async function runScrub(options: ScrubArguments): Promise<number> {
  if (options.trusted && !options.start) throw new UsageError("--trusted goes with --start");
  const server = new Server(options.server, process.env);
  if (options.start) {
    const query = options.trusted ? "?trusted=true" : "";
    await server.send(`/scrub${query}`, { method: "POST" }, scrubPass);
  }
  const read = async (): Promise<Scrub> => (await server.send("/scrub", {}, scrub)).body;
  const body = options.wait ? await untilOver(read) : await read();
  await new Output(process.stdout).write(
    options.json ? `${JSON.stringify(body, null, 2)}\n` : render(body),
  );
  return isWrong(body) ? WRONG : OK;
}

async function untilOver(read: () => Promise<Scrub>): Promise<Scrub> {
  const phases = new Phases(process.stderr);
  try {
    for (;;) {
      const body = await read();
      const { pass } = body;
      if (pass?.state !== "running") return body;
      const isFirst = pass.part === "blobs";
      phases.show(
        pass.part.replace("_", " "),
        isFirst ? pass.checked : pass.checked + pass.documents,
        isFirst ? pass.total_blobs : 0,
      );
      await sleep(PAUSE_MS);
    }
  } finally {
    phases.end();
  }
}

function isWrong({ pass, damaged_blobs, unknown_objects }: Scrub): boolean {
  return pass?.state === "halted" || damaged_blobs.count > 0 || unknown_objects.count > 0;
}

function render({ pass, last_done: last, damaged_blobs, unknown_objects }: Scrub): string {
  const lines = pass === null ? ["no pass was begun yet"] : describe(pass);
  if (last !== null && last.id !== pass?.id) lines.push("before it:", ...describe(last));
  for (const { sha256, state, detail, script_ids } of damaged_blobs.items)
    lines.push(`${state} ${sha256}: ${visible(detail)} (scripts: ${script_ids.join(", ")})`);
  lines.push(...more(damaged_blobs));
  for (const { store, name, what } of unknown_objects.items)
    lines.push(`unknown in ${store}: ${visible(name)} ${visible(what)}`);
  lines.push(...more(unknown_objects));
  return lines.map((line) => `${line}\n`).join("");
}

function more({ count, items }: { count: number; items: readonly unknown[] }): string[] {
  return count > items.length ? [`… and ${count - items.length} more`] : [];
}

function describe(pass: ScrubPassBody): string[] {
  const { id, state, part, asked_by, started_at, finished_at, total_blobs } = pass;
  const where = {
    running: `is at ${part.replace("_", " ")}`,
    halted: `has halted: ${pass.halted_because ?? ""}`,
    done: `was over at ${finished_at ?? ""}`,
    ended: `gave way to another at ${finished_at ?? ""}`,
  }[state];
  return [
    `pass ${id}, begun at ${started_at} by ${visible(asked_by)}, ${visible(where)}`,
    `  read: ${pass.checked} of ${total_blobs} blobs, ${pass.documents} documents and packs, ${pass.bytes} bytes`,
    `  found: ${pass.damaged} damaged, ${pass.missing} missing, ${pass.unknown} unknown; ` +
      `${pass.repaired} repaired, ${pass.unrepairable} not`,
  ];
}
