import { type Catalog, readStanding, recordApproval } from "@sluice/catalog";
import { type InForce, putInForce, reevaluateBatch } from "@sluice/policies";
import { parsePolicyDocument } from "@sluice/python-analysis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sharedPostgres } from "../servers/index.js";
import { openFreshCatalog } from "./fixture.js";
import { type Judged, store } from "./judged.js";

let catalog: Catalog;
beforeEach(async () => {
  catalog = await openFreshCatalog(sharedPostgres());
});
afterEach(() => catalog.close());

const policyOf = (capabilities: string, imports = "{default: allowed}") =>
  `name: a\nversion: 1\ncapabilities: ${capabilities}\nimports: ${imports}\n`;
const ASKS = policyOf("{default: allowed, needs_approval: [process.*]}");
const REFUSES = policyOf("{default: allowed, refused: [process.*]}");
const ASKS_MORE = policyOf(
  "{default: allowed, needs_approval: [process.*]}",
  "{default: needs_approval}",
);
const ALLOWS = policyOf("{default: allowed}");

async function enforce(source: string): Promise<InForce> {
  const document = parsePolicyDocument(source);
  const wanted = { document, source, by: "test", isExpected: () => true };
  const { policy } = await putInForce(catalog, wanted);
  return { id: policy.id, document };
}
async function reevaluate(policy: InForce): Promise<void> {
  for (;;) if ((await reevaluateBatch(catalog, policy)).left !== "some") return;
}
async function stateOf({ versionId }: Judged): Promise<string | undefined> {
  const { rows } = await catalog.query<{ state: string }>(
    "select state from versions where id = $1",
    [versionId],
  );
  return rows[0]?.state;
}
const decide = (
  { scriptId }: Judged,
  decision: "granted" | "refused" = "granted",
  capabilities: readonly string[] = ["process.*"],
) =>
  recordApproval(catalog, {
    scriptId,
    decision,
    capabilities,
    imports: [],
    reason: "looked at it",
    actor: "alice",
  });

const SPAWNS = "import numpy\nimport subprocess\nsubprocess.run(['ls'])\n";

test("decisions outlast changes of the policy, which only asks for what it has not asked before", async () => {
  await enforce(ASKS);
  const script = await store(catalog, SPAWNS);
  expect(await stateOf(script)).toBe("needs_approval");
  expect(await decide(script)).toMatchObject({ kind: "recorded", state: "ready" });

  await reevaluate(await enforce(REFUSES));
  expect(await stateOf(script)).toBe("rejected");
  expect(await decide(script)).toMatchObject({ kind: "undecidable", verdict: "refused" });

  await reevaluate(await enforce(ASKS_MORE));
  expect(await stateOf(script)).toBe("needs_approval");
  expect(await readStanding(catalog, script.versionId)).toMatchObject([
    { name: "process.spawn", decision: { actor: "alice" } },
    { name: "numpy", decision: undefined, previous: undefined },
  ]);

  await reevaluate(await enforce(ALLOWS));
  expect(await stateOf(script)).toBe("ready");
  expect(await decide(script)).toMatchObject({ kind: "undecidable", verdict: "allowed" });

  await reevaluate(await enforce(ASKS));
  expect(await stateOf(script)).toBe("ready");
  await decide(script, "refused");
  await reevaluate(await enforce(ALLOWS));
  expect(await stateOf(script)).toBe("ready");
  await reevaluate(await enforce(ASKS));
  expect(await stateOf(script)).toBe("rejected");
});

test("decisions that are made while versions are judged anew count", async () => {
  await enforce(ALLOWS);
  const scripts: Judged[] = [];
  for (let index = 0; index < 12; index += 1)
    scripts.push(await store(catalog, `${SPAWNS}# ${index}\n`));
  for (const [round, source] of [ASKS, ASKS_MORE, ASKS].entries()) {
    const policy = await enforce(source);
    const decision = round === 1 ? "refused" : "granted";
    await Promise.all([
      reevaluate(policy),
      ...scripts.map(async (script) => {
        // Until it is judged anew there may be nothing to decide.
        await expect
          .poll(async () => (await decide(script, decision)).kind, { interval: 5 })
          .toBe("recorded");
      }),
    ]);
    const expected = round === 1 ? "rejected" : "ready";
    for (const script of scripts) expect(await stateOf(script)).toBe(expected);
  }
});
