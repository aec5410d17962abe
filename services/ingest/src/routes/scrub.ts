import {
  listDamaged,
  listUnknownObjects,
  readFinishedScrubPass,
  readScrubPass,
  requestScrubPass,
  type ScrubPass,
} from "@sluice/catalog";
import { OPERATIONS, type Scrub, type ScrubPassBody } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { ProblemError } from "../http/problem-error.js";
import { route, type Route } from "../http/route.js";
import { once, readIdempotencyKey } from "../idempotency.js";

const LISTED = 100;

export function readScrub({ catalog }: Pick<Dependencies, "catalog">): Route {
  return route("readScrub", async ({ res }) => {
    const [pass, lastDone, damaged, unknown] = await Promise.all([
      readScrubPass(catalog),
      readFinishedScrubPass(catalog),
      listDamaged(catalog, LISTED),
      listUnknownObjects(catalog, LISTED),
    ]);
    const body: Scrub = {
      pass: pass === undefined ? null : toBody(pass),
      last_done: lastDone === undefined ? null : toBody(lastDone),
      damaged_blobs: {
        count: damaged.count,
        items: damaged.items.map(({ sha256, state, detail, foundAt, scriptIds }) => ({
          sha256,
          state,
          detail,
          found_at: foundAt.toISOString(),
          script_ids: [...scriptIds],
        })),
      },
      unknown_objects: {
        count: unknown.count,
        items: unknown.items.map(({ store, name, what, size, foundAt }) => ({
          store,
          name,
          what,
          size: size ?? null,
          found_at: foundAt.toISOString(),
        })),
      },
    };
    res.set("Cache-Control", "private, no-cache").json(body);
  });
}

export function startScrub({ catalog, claims }: Pick<Dependencies, "catalog" | "claims">): Route {
  return route("startScrub", async ({ query: { trusted }, req, res }) => {
    const { actor, log } = res.locals;
    const id = await once(
      claims,
      {
        key: readIdempotencyKey(req),
        identity: ["startScrub", trusted, actor],
        replay: (recorded) => (recorded as { pass: number }).pass,
        res,
      },
      async (idempotency) => {
        const { kind, pass } = await requestScrubPass(catalog, {
          askedBy: actor,
          trusted,
          idempotency,
        });
        if (kind === "begun") {
          log.info({ pass: pass.id, trusted }, "a pass of the scrub was asked for");
          return pass.id;
        }
        throw new ProblemError(
          "scrub_running",
          `Pass ${pass.id}, begun at ${pass.startedAt.toISOString()}, is under way.`,
        );
      },
    );
    const pass = await readScrubPass(catalog, id);
    if (pass === undefined) throw new Error(`pass ${id} is forgotten`);
    res
      .status(202)
      .set("Location", OPERATIONS.readScrub.path)
      .set("Cache-Control", "no-store")
      .json(toBody(pass));
  });
}

function toBody(pass: ScrubPass): ScrubPassBody {
  const { counts, workedMs } = pass;
  const perSecond = (number: number): number => Math.round((number / workedMs) * 1e6) / 1_000;
  return {
    id: pass.id,
    state: stateOf(pass),
    asked_by: pass.askedBy,
    trusted: pass.trusted,
    started_at: pass.startedAt.toISOString(),
    finished_at: pass.finishedAt?.toISOString() ?? null,
    part: pass.position.part,
    total_blobs: pass.total,
    ...counts,
    halted_because: pass.finishedAt === undefined ? (pass.halted ?? null) : null,
    rate:
      workedMs === 0
        ? null
        : {
            checked_per_second: perSecond(counts.checked),
            documents_per_second: perSecond(counts.documents),
            bytes_per_second: perSecond(counts.bytes),
          },
  };
}

function stateOf({ finishedAt, halted }: ScrubPass): ScrubPassBody["state"] {
  if (finishedAt === undefined) return halted === undefined ? "running" : "halted";
  return halted === undefined ? "done" : "ended";
}
