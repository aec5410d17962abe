import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  activatePolicy,
  type Catalog,
  countOutdated,
  listAudit,
  listPolicies,
  readAnalysis,
  readPolicyInForce,
  recordApproval,
} from "@sluice/catalog";
import {
  dryRun,
  EffectivePolicies,
  ensurePolicy,
  type InForce,
  putInForce,
  reevaluateBatch,
} from "@sluice/policies";
import { judge, parsePolicyDocument, policyVersion } from "@sluice/python-analysis";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "../servers/guard.js";
import { sharedPostgres } from "../servers/index.js";
import {
  BACKUP_RESULT,
  DEDUP_RESULT,
  done,
  EXTRACT_RESULT,
  openFreshCatalog,
  register,
  upload,
  work,
} from "./fixture.js";
import { begin, factsOf, type Judged, store } from "./judged.js";

let catalog: Catalog;
beforeEach(async () => {
  catalog = await openFreshCatalog(sharedPostgres());
});
afterEach(() => catalog.close());

const OPEN = "capabilities: {default: allowed}\nimports: {default: allowed}";
const STRICT =
  "capabilities: {default: allowed, refused: [process.*]}\nimports: {default: needs_approval}";

async function enforce(text: string): Promise<InForce> {
  const source = `name: a\nversion: 1\n${text}`;
  const document = parsePolicyDocument(source);
  const { policy } = await putInForce(catalog, {
    document,
    source,
    by: "test",
    isExpected: () => true,
  });
  return { id: policy.id, document };
}

async function reevaluateAll(policy: InForce): Promise<void> {
  for (;;) {
    const { left } = await reevaluateBatch(catalog, policy);
    if (left !== "some") return;
  }
}

async function states(): Promise<Map<string, string>> {
  const { rows } = await catalog.query<{ id: string; state: string }>(
    "select id, state from versions",
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}
const stateOf = async ({ versionId }: Judged) => (await states()).get(versionId);

const SHELL = "import os\nos.system('ls')\n";
const PLAIN = "x = 1\n";
const NUMPY = "import numpy\n";
const BROKEN = "def (:\n";

describe("a policy that comes into force", () => {
  test("changes what is stored, both ways, with its reports, and says so", async () => {
    await enforce(OPEN);
    const shell = await store(catalog, SHELL);
    const plain = await store(catalog, PLAIN);
    const broken = await store(catalog, BROKEN);
    expect(await stateOf(shell)).toBe("ready");

    const strict = await enforce(STRICT);
    expect(await countOutdated(catalog, strict.id)).toEqual({ judged: 3, underWay: 0 });
    await reevaluateAll(strict);
    expect([await stateOf(shell), await stateOf(plain), await stateOf(broken)]).toEqual([
      "rejected",
      "ready",
      "rejected",
    ]);
    const { report, metadata } = await readAnalysis(catalog, shell.versionId);
    expect(report).toEqual(judge(await factsOf(SHELL), strict.document.base));
    expect(metadata).toEqual(EXTRACT_RESULT.metadata);
    expect(await readPolicyInForce(catalog)).toMatchObject({ judged: 3, changed: 1 });
    expect((await readPolicyInForce(catalog))?.appliedAt).toBeInstanceOf(Date);
    const audit = await listAudit(catalog, { filter: { scriptId: shell.scriptId }, limit: 10 });
    expect(audit.items).toMatchObject([
      {
        action: "version.state_changed",
        actor: "policy",
        details: { from: "ready", to: "rejected", policy_id: strict.id },
      },
    ]);

    const open = await enforce(OPEN);
    await reevaluateAll(open);
    expect(await stateOf(shell)).toBe("ready");
    expect((await listPolicies(catalog, { limit: 10 })).items).toHaveLength(3);
  });

  test("is what uploads of the same bytes reuse at once", async () => {
    await enforce(OPEN);
    await store(catalog, SHELL);
    await reevaluateAll(await enforce(STRICT));
    const again = await store(catalog, SHELL, "other");
    expect(await stateOf(again)).toBe("rejected");
    const { rows } = await catalog.query("select from stages where version_id = $1", [
      again.versionId,
    ]);
    expect(rows).toHaveLength(1);
  });

  test("is another one in other namespaces", async () => {
    await enforce(OPEN);
    const here = await store(catalog, SHELL, "team/a");
    const there = await store(catalog, SHELL, "team/b");
    const outside = await store(catalog, SHELL, "team");
    const policy = await enforce(
      `${OPEN}\nnamespaces: {team/*: {capabilities: {needs_approval: [process.*]}}, team/b: {capabilities: {refused: [process.spawn]}}}`,
    );
    await reevaluateAll(policy);
    expect([await stateOf(here), await stateOf(there), await stateOf(outside)]).toEqual([
      "needs_approval",
      "rejected",
      "ready",
    ]);
  });

  test("catches what was under way when it came", async () => {
    await enforce(OPEN);
    const under = await begin(catalog, SHELL);
    const strict = await enforce(STRICT);
    await reevaluateAll(strict);
    expect((await readPolicyInForce(catalog))?.appliedAt).toBeUndefined();
    expect(await countOutdated(catalog, strict.id)).toEqual({ judged: 0, underWay: 1 });
    await under.finish();
    expect(await stateOf(under)).toBe("ready");
    await reevaluateAll(strict);
    expect(await stateOf(under)).toBe("rejected");
    expect((await readPolicyInForce(catalog))?.appliedAt).toBeInstanceOf(Date);
  });

  test("is what dedup must settle for, however late it hears of it", async () => {
    const open = await enforce(OPEN);
    const { versionId } = await register(catalog, upload("late.py", "late"));
    await enforce(STRICT);
    const ending = done<"dedup">({
      ...DEDUP_RESULT,
      policyVersion: policyVersion(open.document.base),
      policyId: open.id,
    });
    await expect(work(catalog, "dedup", [versionId], ending)).rejects.toThrow("another policy");
  });

  test("waits for what is being settled by the one before", async () => {
    const open = await enforce(OPEN);
    const { versionId } = await register(catalog, upload("now.py", "now"));
    let activation: Promise<unknown> = Promise.resolve();
    await catalog.transaction(async (tx) => {
      await tx.query("select hold_policy()");
      activation = enforce(STRICT);
      const waits = async () =>
        (
          await catalog.query(
            "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
          )
        ).rowCount;
      await expect.poll(waits).toBe(1);
      await tx.query("update versions set policy_id = $2 where id = $1", [versionId, open.id]);
    });
    await activation;
  });

  test("is not overridden by judgements of the one before", async () => {
    const open = await enforce(OPEN);
    const shell = await store(catalog, SHELL);
    const strict = await enforce(STRICT);
    await reevaluateAll(strict);
    await enforce(`${OPEN}\nlimits: {max_lines: 9}`);
    expect(await reevaluateBatch(catalog, strict)).toMatchObject({ left: "all" });
    await catalog.query("update versions set policy_id = $1", [open.id]);
    expect(await reevaluateBatch(catalog, strict)).toMatchObject({ left: "none" });
    expect(await stateOf(shell)).toBe("rejected");
  });

  test("sends what nothing is known of through the pipeline again", async () => {
    await enforce(OPEN);
    const shell = await store(catalog, SHELL);
    await catalog.query("delete from script_facts");
    const strict = await enforce(STRICT);
    const batch = await reevaluateBatch(catalog, strict);
    expect(batch.startedOver).toEqual([{ versionId: shell.versionId, size: SHELL.length }]);
    expect(await stateOf(shell)).toBe("processing");
    const { rows } = await catalog.query("select stage, state from stages where version_id = $1", [
      shell.versionId,
    ]);
    expect(rows).toEqual([{ stage: "dedup", state: "pending" }]);
  });

  test("leaves a script refused that could not be described", async () => {
    await enforce(OPEN);
    const script = await begin(catalog, PLAIN);
    const refusal = judge(await factsOf(BROKEN), (await enforce(OPEN)).document.base).findings[0];
    await work(
      catalog,
      "extract",
      [script.versionId],
      done<"extract">({ refusal: refusal as NonNullable<typeof refusal> }),
    );
    await work(catalog, "compress", [script.versionId], done<"compress">({}));
    await work(catalog, "backup", [script.versionId], done<"backup">(BACKUP_RESULT));
    expect(await stateOf(script)).toBe("rejected");
    await reevaluateAll(await enforce(STRICT));
    expect(await stateOf(script)).toBe("rejected");
  });

  test("must be based on the one that is in force", async () => {
    const first = await enforce(OPEN);
    await enforce(STRICT);
    const source = "name: b\nversion: 1";
    const late = await putInForce(catalog, {
      document: parsePolicyDocument(source),
      source,
      by: "test",
      isExpected: (id) => id === first.id,
    });
    expect(late).toMatchObject({ kind: "conflict", policy: { name: "a" } });
  });

  test("is one, where several come at once", async () => {
    const base = (await enforce(OPEN)).id;
    const kinds = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const source = `name: n${i}\nversion: 1`;
        const activation = await putInForce(catalog, {
          document: parsePolicyDocument(source),
          source,
          by: "test",
          isExpected: (id) => id === base,
        });
        return activation.kind;
      }),
    );
    expect(kinds.filter((kind) => kind === "activated")).toHaveLength(1);
  });
});

const PARTS = [
  "capabilities: {default: allowed}",
  "capabilities: {default: needs_approval, allowed: [filesystem.*]}",
  "capabilities: {default: allowed, refused: [process.spawn], needs_approval: [filesystem.read]}",
  "imports: {default: allowed}",
  "imports: {default: refused, allowed: [numpy]}",
  "limits: {max_bytes: 12}",
  "limits: {max_lines: {limit: 1, severity: error}}",
  "docstrings: {required: all, severity: error}",
  "namespaces: {a/*: {capabilities: {allowed: [process.*]}, imports: {allowed: {add: [yaml]}}}}",
  "namespaces: {a/b: {limits: {max_bytes: null}}, '*': {docstrings: {required: none}}}",
];
const policies = fc
  .uniqueArray(fc.constantFrom(...PARTS), {
    selector: (part) => part.split(":", 1)[0],
    maxLength: 5,
  })
  .map((parts) => parts.join("\n"));

test("what a dry run says is what then happens, by any policy after any other", async () => {
  const sources = [
    SHELL,
    PLAIN,
    NUMPY,
    BROKEN,
    "import yaml\n",
    "open('x')\n",
    "def f(): pass\n",
    "def f():\n  'F.'\n",
    "\n\n\n",
  ];
  await enforce(OPEN);
  for (const source of sources)
    for (const namespace of ["default", "a/b", "a/c"]) await store(catalog, source, namespace);
  const effective = new EffectivePolicies(catalog);
  const { signal } = new AbortController();
  await fc.assert(
    fc.asyncProperty(policies, async (text) => {
      const before = await states();
      const document = parsePolicyDocument(`name: a\nversion: 1\n${text}`);
      const whole = await dryRun(catalog, effective, { document, limit: 1_000, signal });
      expect(await states()).toEqual(before);
      const first = await dryRun(catalog, effective, { document, limit: 3, signal });
      const pages = [...first.changes];
      for (let after = first.next; after !== undefined;) {
        const page = await dryRun(catalog, effective, { document, limit: 3, after, signal });
        pages.push(...page.changes);
        after = page.next;
      }
      expect(pages).toEqual(whole.changes);
      const policy = await enforce(text);
      await reevaluateAll(policy);

      const after = await states();
      const said = new Map(whole.changes.map(({ version, to }) => [version.versionId, to]));
      const happened = new Map([...after].filter(([id, state]) => before.get(id) !== state));
      expect(said).toEqual(happened);
      const counted = whole.counts?.transitions.reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBe(happened.size);
      for (const { reasons } of whole.changes) expect(reasons.length).toBeGreaterThan(0);
      expect(whole.counts).toMatchObject({ versions: before.size, unknown: 0 });
    }),
    { numRuns: 25 },
  );
});

describe("a start of Sluice", () => {
  const nameInForce = async () => (await readPolicyInForce(catalog))?.name;

  test("takes the policy that comes with it where there is none, and twice once only", async () => {
    await Promise.all([ensurePolicy(catalog, undefined), ensurePolicy(catalog, undefined)]);
    const { items } = await listPolicies(catalog, { limit: 10 });
    expect(items).toMatchObject([{ name: "default", activatedBy: "default" }]);
  });

  test("takes a file whose content is new, and leaves what came after it", async () => {
    const directory = temporaryDirectory();
    const file = join(directory, "policy.yaml");
    const startWith = async (name: string) => {
      writeFileSync(file, `name: ${name}\nversion: 1\n`);
      await ensurePolicy(catalog, file);
      return nameInForce();
    };
    await ensurePolicy(catalog, undefined);
    expect(await startWith("first")).toBe("first");
    await enforce(OPEN);
    expect(await startWith("first")).toBe("a");
    expect(await startWith("second")).toBe("second");
    expect(await startWith("first")).toBe("second");
    // Nor does the policy that comes with Sluice take anybody's place.
    await ensurePolicy(catalog, undefined);
    expect(await nameInForce()).toBe("second");
    removeDirectory(directory);
  });

  test("fails with every mistake of a file that has some", async () => {
    const directory = temporaryDirectory();
    const file = join(directory, "policy.yaml");
    writeFileSync(file, "name: a\nlimits: {max_line: 1}\n");
    await expect(ensurePolicy(catalog, file)).rejects.toThrow(/version[^]*limits.max_line/);
    expect(await nameInForce()).toBeUndefined();
    removeDirectory(directory);
  });
});

test("what was granted stays granted by another policy that asks for it", async () => {
  await enforce(OPEN);
  const shell = await store(catalog, SHELL);
  const asking =
    "capabilities: {default: allowed, needs_approval: [process.*]}\nimports: {default: allowed}";
  await reevaluateAll(await enforce(asking));
  expect(await stateOf(shell)).toBe("needs_approval");
  await recordApproval(catalog, {
    scriptId: shell.scriptId,
    version: 1,
    sha256: undefined,
    decision: "granted",
    capabilities: ["process.spawn"],
    imports: [],
    reason: "looked at",
    actor: "alice",
    expiresAt: undefined,
    idempotency: undefined,
  });
  expect(await stateOf(shell)).toBe("ready");
  const { signal } = new AbortController();
  for (const [text, expected] of [
    [OPEN, "ready"],
    [`${asking}\nlimits: {max_lines: 99}`, "ready"],
    ["capabilities: {default: allowed, refused: [process.*]}", "rejected"],
    [asking, "ready"],
  ] as const) {
    const document = parsePolicyDocument(`name: a\nversion: 1\n${text}`);
    const effective = new EffectivePolicies(catalog);
    const said = await dryRun(catalog, effective, { document, limit: 9, signal });
    const before = await stateOf(shell);
    await reevaluateAll(await enforce(text));
    expect(await stateOf(shell)).toBe(expected);
    expect(said.changes.map(({ to }) => to)).toEqual(before === expected ? [] : [expected]);
  }
});

test("a policy that is not wanted leaves no trace", async () => {
  const policy = {
    name: "a",
    version: "1",
    source: "",
    activatedBy: "x",
    effective: new Map([["1", {}]]),
  };
  expect(await activatePolicy(catalog, policy, () => false)).toEqual({
    activated: false,
    policy: undefined,
  });
  const { rows } = await catalog.query("select from effective_policies");
  expect(rows).toHaveLength(0);
});
