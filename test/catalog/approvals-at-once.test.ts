import { randomUUID } from "node:crypto";
import {
  type Catalog,
  decideStates,
  expireApprovals,
  lockDecisions,
  recordApproval,
} from "@sluice/catalog";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sharedPostgres } from "../servers/index.js";
import {
  asking,
  BACKUP_RESULT,
  DEDUP_RESULT,
  done,
  EXTRACT_RESULT,
  openFreshCatalog,
  register,
  upload,
  work,
} from "./fixture.js";

let catalog: Catalog;
beforeAll(async () => {
  catalog = await openFreshCatalog(sharedPostgres());
});
afterAll(async () => {
  await catalog.close();
});

const SCRIPTS = 5;
const VERSIONS = 12;
/** Few texts for many versions: most are duplicates, within a script and between scripts. */
const TEXTS = 7;

/** The same numbers each time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

/** The others go on until all versions are worked off. */
let uploading = true;

const scripts = Array.from({ length: SCRIPTS }, () => randomUUID());

/** What a text asks for. */
const found = (text: number) =>
  asking({
    "network.client": text % 2 === 0 ? ["a"] : ["a", "b"],
    ...(text % 3 === 0 && { device: ["open"] }),
  });

/** Uploads versions of one script, and works on each as far as that is its own. */
async function uploads(index: number): Promise<void> {
  const pick = random(index + 1);
  let previous = -1;
  for (let version = 1; version <= VERSIONS; version += 1) {
    // The newest bytes again would make no version.
    const text = (previous + 1 + pick(TEXTS - 1)) % TEXTS;
    previous = text;
    const scriptId = scripts[index] as string;
    const { versionId } = await register(
      catalog,
      upload(`at-once-${index}.py`, `text ${text}`, { scriptId, version }),
    );
    await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
    await work(catalog, "validate", [versionId], done<"validate">(found(text)));
    await work(catalog, "extract", [versionId], done<"extract">(EXTRACT_RESULT));
    await work(catalog, "compress", [versionId], done<"compress">({}));
    await work(catalog, "backup", [versionId], done<"backup">(BACKUP_RESULT));
  }
}

async function decisions(seed: number): Promise<number> {
  const pick = random(seed);
  let recorded = 0;
  for (let count = 0; uploading || count < 40; count += 1) {
    const outcome = await recordApproval(catalog, {
      scriptId: scripts[pick(SCRIPTS)] as string,
      version: pick(3) === 0 ? undefined : 1 + pick(VERSIONS),
      decision: pick(3) === 0 ? "refused" : "granted",
      capabilities: [pick(2) === 0 ? "network.client" : "*"],
      imports: [],
      reason: "at once",
      actor: `reviewer ${seed}`,
      expiresAt: pick(3) === 0 ? new Date(Date.now() + 20) : undefined,
    });
    if (outcome.kind === "recorded") recorded += 1;
  }
  return recorded;
}

async function ends(): Promise<void> {
  while (uploading) await expireApprovals(catalog, 10);
}

/** Gives final versions another verdict, some at a time. */
async function verdicts(): Promise<void> {
  const pick = random(99);
  while (uploading) {
    const some = [scripts[pick(SCRIPTS)], scripts[pick(SCRIPTS)]] as [string, string];
    const verdict = pick(2) === 0 ? "refused" : "needs_approval";
    await catalog.transaction(async (tx) => {
      await lockDecisions(tx, some);
      const { rows } = await tx.query<{ id: string }>(
        `update versions set verdict = $2, state = state_of_verdict($2)
         where script_id = any($1::uuid[]) and number = $3 and state in ('ready', 'needs_approval', 'rejected')
         returning id`,
        [some, verdict, 1 + pick(VERSIONS)],
      );
      await decideStates(
        tx,
        rows.map(({ id }) => id),
      );
    });
  }
}

test("uploads, decisions, their ends and other verdicts at once: nothing fails, and every state is right", async () => {
  const [first, second] = await Promise.all([
    decisions(17),
    decisions(23),
    ends(),
    verdicts(),
    Promise.all(scripts.map((_, index) => uploads(index))).finally(() => (uploading = false)),
  ]);
  expect(first + second).toBeGreaterThan(10);
  await expect
    .poll(async () => {
      await expireApprovals(catalog, 100);
      const { rowCount } = await catalog.query(
        "select from approvals where expires_at is not null and expired_at is null",
      );
      return rowCount;
    })
    .toBe(0);
  const { rows } = await catalog.query(
    `select v.script_id, v.number, v.state, version_state(v.script_id, v.sha256, v.verdict, a.asked) as expected
     from versions v left join analyses a on a.sha256 = v.sha256 and a.analyser_version = v.analyser_version
       and a.policy_version = v.policy_version`,
  );
  expect(rows).toHaveLength(SCRIPTS * VERSIONS);
  expect(rows.filter(({ state, expected }) => state !== expected)).toEqual([]);
  const { rows: open } = await catalog.query(
    "select stage from stages where state not in ('done', 'skipped')",
  );
  expect(open).toEqual([]);
});
