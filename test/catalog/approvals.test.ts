import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  type Catalog,
  type Decision,
  decideStates,
  deleteScript,
  expireApprovals,
  listApprovals,
  listAudit,
  lockDecisions,
  readStanding,
  recordApproval,
  recordAudit,
  type Recorded,
  type RegisteredVersion,
  retryFailed,
} from "@sluice/catalog";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedPostgres } from "../servers/index.js";
import {
  asking,
  BACKUP_RESULT,
  DEDUP_RESULT,
  done,
  EXTRACT_RESULT,
  finish,
  openFreshCatalog,
  register,
  sha256Of,
  upload,
  work,
} from "./fixture.js";

const MIGRATION = new URL("../../packages/catalog/migrations/0004_approvals.sql", import.meta.url);

let catalog: Catalog;

beforeAll(async () => {
  catalog = await openFreshCatalog(sharedPostgres());
});
afterAll(async () => {
  await catalog.close();
});

const NETWORK = { "network.client": ["requests.get"] };

let counter = 0;
const freshText = () => `body ${(counter += 1)}`;

/** The first version of a new script, worked off. */
async function first(
  found: Parameters<typeof finish>[2] = asking(NETWORK),
  text = freshText(),
): Promise<RegisteredVersion> {
  const version = await register(catalog, upload(`script-${(counter += 1)}.py`, text));
  await finish(catalog, version.versionId, found);
  return version;
}

/** The next version of a script, not worked on yet. */
function next(
  { scriptId, filename, version }: RegisteredVersion,
  text = freshText(),
): Promise<RegisteredVersion> {
  return register(catalog, upload(filename, text, { scriptId, version: version + 1 }));
}

async function second(
  before: RegisteredVersion,
  found: Parameters<typeof finish>[2],
): Promise<RegisteredVersion> {
  const version = await next(before);
  await finish(catalog, version.versionId, found);
  return version;
}

const decision = (
  { scriptId, version }: RegisteredVersion,
  overrides: Partial<Decision> = {},
): Decision => ({
  scriptId,
  version,
  decision: "granted",
  capabilities: ["network.client"],
  imports: [],
  reason: "looked at it",
  actor: "alice",
  ...overrides,
});

async function decide(
  version: RegisteredVersion,
  overrides: Partial<Decision> = {},
): Promise<Recorded> {
  const outcome = await recordApproval(catalog, decision(version, overrides));
  if (outcome.kind !== "recorded") throw new Error(`not recorded but ${outcome.kind}`);
  return outcome;
}

async function stateOf({ versionId }: RegisteredVersion): Promise<string | undefined> {
  const { rows } = await catalog.query<{ state: string }>(
    "select state from versions where id = $1",
    [versionId],
  );
  return rows[0]?.state;
}

async function auditOf({ scriptId }: RegisteredVersion): Promise<string[]> {
  const { items } = await listAudit(catalog, { filter: { scriptId }, limit: 100 });
  return items.map(({ actor, action, version }) => `${actor} ${action} v${version}`).toReversed();
}

/** Lets the end dates of a script's decisions be over, by as much as it takes. */
async function passEndDates({ scriptId }: RegisteredVersion): Promise<void> {
  await catalog.query(
    "update approvals set expires_at = now() where script_id = $1 and expires_at is not null",
    [scriptId],
  );
}
const SOON = new Date(Date.now() + 3_600_000);

describe("a version that needs approval", () => {
  test("is ready once all that it asks for is granted, and not before", async () => {
    const version = await first(
      asking({ ...NETWORK, "filesystem.read": ["open"], "filesystem.write": ["open"] }, ["foo"]),
    );
    expect(await stateOf(version)).toBe("needs_approval");
    const partly = await decide(version, { capabilities: ["network.client", "filesystem.*"] });
    expect(partly).toMatchObject({ state: "needs_approval" });
    expect(partly.approval.items.map(({ name }) => name)).toEqual([
      "network.client",
      "filesystem.read",
      "filesystem.write",
    ]);
    expect(await decide(version, { capabilities: [], imports: ["foo"] })).toMatchObject({
      state: "ready",
    });
    expect(await stateOf(version)).toBe("ready");
    expect(await auditOf(version)).toEqual([
      "alice approval.granted v1",
      "alice approval.granted v1",
      "alice version.state_changed v1",
    ]);
  });

  test("is rejected by one refusal, which a later grant lifts, and the other way round", async () => {
    const version = await first(asking({ ...NETWORK, "filesystem.read": ["open"] }));
    await decide(version, { capabilities: ["*"] });
    expect(await decide(version, { decision: "refused" })).toMatchObject({ state: "rejected" });
    expect(await decide(version)).toMatchObject({ state: "ready" });
  });

  test("takes no decision on what it does not ask for; then nothing is recorded", async () => {
    const version = await first(asking(NETWORK, ["foo"]));
    const outcome = await recordApproval(
      catalog,
      decision(version, {
        capabilities: ["network.client", "network.server", "filesystem.*"],
        imports: ["foo", "fo", "bar"],
      }),
    );
    expect(outcome).toMatchObject({
      kind: "not_asked",
      capabilities: ["network.server", "filesystem.*"],
      imports: ["fo", "bar"],
      asked: [{ name: "network.client" }, { name: "foo" }],
    });
    expect(await listApprovals(catalog, { scriptId: version.scriptId, limit: 10 })).toEqual({
      items: [],
      next: undefined,
    });
    expect(await auditOf(version)).toEqual([]);
  });

  test("takes no decision that was meant for other bytes, or for a script that is none", async () => {
    const version = await first();
    expect(
      await recordApproval(catalog, decision(version, { sha256: sha256Of("else") })),
    ).toMatchObject({ kind: "other_bytes", sha256: version.sha256 });
    expect(await recordApproval(catalog, decision(version, { version: 2 }))).toEqual({
      kind: "not_found",
    });
    expect(await recordApproval(catalog, decision(version, { scriptId: randomUUID() }))).toEqual({
      kind: "not_found",
    });
    await deleteScript(catalog, {
      scriptId: version.scriptId,
      actor: "alice",
      trashMs: 86_400_000,
    });
    expect(await recordApproval(catalog, decision(version))).toEqual({ kind: "not_found" });
  });

  test("whose report lists nothing that it asks for never gets ready", async () => {
    const version = await first(asking({}));
    expect(await recordApproval(catalog, decision(version, { capabilities: ["*"] }))).toMatchObject(
      { kind: "not_asked" },
    );
    expect(await stateOf(version)).toBe("needs_approval");
  });
});

test.each(["allowed", "refused", "malicious", "invalid"] as const)(
  "of a version that is %s there is nothing to decide",
  async (verdict) => {
    const version = await register(catalog, upload(`${verdict}.py`, freshText()));
    expect(await recordApproval(catalog, decision(version))).toMatchObject({
      kind: "undecidable",
      state: "queued",
      verdict: undefined,
    });
    await finish(catalog, version.versionId, verdict);
    expect(await recordApproval(catalog, decision(version))).toMatchObject({
      kind: "undecidable",
      verdict,
    });
  },
);

describe("a later version", () => {
  test("of other bytes asks only for what is new", async () => {
    const one = await first(asking({ ...NETWORK, "filesystem.read": ["open"] }, ["foo"]));
    await decide(one, { capabilities: ["*"], imports: ["*"], reason: "fine" });

    const two = await second(one, asking({ ...NETWORK }, ["foo"]));
    expect(await stateOf(two)).toBe("ready");

    const three = await second(
      two,
      asking({ "network.client": ["requests.get", "requests.post"], "filesystem.read": ["open"] }, [
        "bar",
        "foo",
      ]),
    );
    expect(await stateOf(three)).toBe("needs_approval");
    const open = (await readStanding(catalog, three.versionId)).filter(
      ({ decision: held }) => held === undefined,
    );
    expect(open).toMatchObject([
      {
        name: "network.client",
        newReferences: ["requests.post"],
        previous: { version: 1, decision: "granted", reason: "fine", actor: "alice" },
      },
      { name: "bar", previous: undefined },
    ]);
    await decide(three, { imports: ["bar"] });
    expect(await stateOf(three)).toBe("ready");
  });

  test("inherits a refusal as it does a grant", async () => {
    const one = await first();
    await decide(one, { decision: "refused" });
    const two = await second(one, asking(NETWORK));
    expect(await stateOf(two)).toBe("rejected");
    expect(await readStanding(catalog, two.versionId)).toMatchObject([
      { decision: { decision: "refused", version: 1, reason: "looked at it" } },
    ]);
  });

  test("is decided too by a decision on an earlier one; an earlier one is not by one on it", async () => {
    const one = await first();
    const two = await second(one, asking(NETWORK));
    await decide(two, { decision: "refused" });
    expect([await stateOf(one), await stateOf(two)]).toEqual(["needs_approval", "rejected"]);
    await decide(one);
    expect([await stateOf(one), await stateOf(two)]).toEqual(["ready", "ready"]);
    expect(await auditOf(one)).toEqual([
      "alice approval.refused v2",
      "alice version.state_changed v2",
      "alice approval.granted v1",
      "alice version.state_changed v1",
      "alice version.state_changed v2",
    ]);
  });

  test("inherits nothing of what was cut, unless its bytes are the very same", async () => {
    const many = { "network.client": Array.from({ length: 100 }, (_, index) => `r${index}`) };
    const one = await first(asking(many));
    await decide(one);
    expect(await stateOf(one)).toBe("ready");
    const two = await second(one, asking(many));
    expect(await stateOf(two)).toBe("needs_approval");
    const again = await register(
      catalog,
      upload(one.filename, "", { ...one, version: 3, rawKey: undefined, restoredFrom: 1 }),
    );
    await work(catalog, "dedup", [again.versionId], done<"dedup">(DEDUP_RESULT));
    expect(await stateOf(again)).toBe("ready");
  });

  test("that brings old bytes back stands as they do, whatever was decided on others since", async () => {
    const one = await first();
    await decide(one);
    const two = await second(one, asking(NETWORK));
    const three = await second(
      two,
      asking({ "network.client": ["requests.get", "socket.socket"] }),
    );
    await decide(three, { decision: "refused" });
    const again = await register(
      catalog,
      upload(two.filename, "", { ...two, version: three.version + 1, restoredFrom: 2 }),
    );
    await work(catalog, "dedup", [again.versionId], done<"dedup">(DEDUP_RESULT));
    expect([await stateOf(two), await stateOf(again)]).toEqual(["ready", "ready"]);
    await decide(again, { decision: "refused" });
    const states = await Promise.all([one, two, three, again].map(stateOf));
    expect(states).toEqual(["ready", "rejected", "rejected", "rejected"]);
    await decide(again);
    expect(await stateOf(two)).toBe("ready");
  });

  test("that failed and was tried again heeds what was decided meanwhile", async () => {
    const one = await first();
    const two = await next(one);
    await work(catalog, "dedup", [two.versionId], done<"dedup">(DEDUP_RESULT));
    const error = { code: "broken", message: "it broke" };
    await work(catalog, "validate", [two.versionId], { kind: "failed", error });
    expect(await recordApproval(catalog, decision(two))).toMatchObject({
      kind: "undecidable",
      state: "failed",
    });
    await decide(one);
    await retryFailed(catalog, two.versionId);
    await work(catalog, "validate", [two.versionId], done<"validate">(asking(NETWORK)));
    await work(catalog, "extract", [two.versionId], done<"extract">(EXTRACT_RESULT));
    await work(catalog, "compress", [two.versionId], done<"compress">({}));
    await work(catalog, "backup", [two.versionId], done<"backup">(BACKUP_RESULT));
    expect(await stateOf(two)).toBe("ready");
  });
});

test("a version that was analysed before approvals were can be approved", async () => {
  const version = await first(asking({ ...NETWORK, device: ["open"] }, ["foo"]));
  const allowed = await first("allowed");
  await catalog.query("update analyses set asked = null");
  expect(await recordApproval(catalog, decision(version))).toMatchObject({ kind: "undecidable" });
  const migration = readFileSync(MIGRATION, "utf8");
  await catalog.query(/^update analyses a set asked[^;]*;/m.exec(migration)?.[0] ?? "");
  const again = await next(version, "other bytes that ask for the same");
  await finish(catalog, again.versionId, asking({ ...NETWORK, device: ["open"] }, ["foo"]));
  expect(await decide(version, { capabilities: ["*"], imports: ["foo"] })).toMatchObject({
    state: "ready",
  });
  expect(await stateOf(again)).toBe("needs_approval");
  expect(await stateOf(allowed)).toBe("ready");
});

test("the same bytes under another name ask for themselves", async () => {
  const text = freshText();
  const one = await first(asking(NETWORK), text);
  await decide(one);
  const other = await register(catalog, upload(`other-${counter}.py`, text));
  await work(catalog, "dedup", [other.versionId], done<"dedup">(DEDUP_RESULT));
  expect(await stateOf(other)).toBe("needs_approval");
  await decide(other);
  expect([await stateOf(one), await stateOf(other)]).toEqual(["ready", "ready"]);
});

test("a duplicate that waited for another script's analysis stands as its own script's decisions say", async () => {
  const one = await first();
  await decide(one);
  const text = freshText();
  const leader = await register(catalog, upload(`leader-${counter}.py`, text));
  const follower = await next(one, text);
  for (const { versionId } of [leader, follower])
    await work(catalog, "dedup", [versionId], done<"dedup">(DEDUP_RESULT));
  await work(catalog, "validate", [leader.versionId], done<"validate">(asking(NETWORK)));
  await work(catalog, "extract", [leader.versionId], done<"extract">(EXTRACT_RESULT));
  await work(catalog, "compress", [leader.versionId], done<"compress">({}));
  await work(catalog, "backup", [leader.versionId], done<"backup">(BACKUP_RESULT));
  expect([await stateOf(leader), await stateOf(follower)]).toEqual(["needs_approval", "ready"]);
});

describe("a decision with an end date", () => {
  test("holds until then; after it the version asks again", async () => {
    const version = await first();
    await decide(version, { expiresAt: SOON });
    expect(await expireApprovals(catalog, 10)).toEqual([]);
    expect(await stateOf(version)).toBe("ready");
    await passEndDates(version);
    expect(await expireApprovals(catalog, 10)).toMatchObject([{ scriptId: version.scriptId }]);
    expect(await stateOf(version)).toBe("needs_approval");
    expect(await readStanding(catalog, version.versionId)).toMatchObject([
      { decision: undefined, previous: { decision: "granted" }, newReferences: [] },
    ]);
    expect((await auditOf(version)).slice(2)).toEqual([
      "janitor approval.expired v1",
      "janitor version.state_changed v1",
    ]);
    expect(await expireApprovals(catalog, 10)).toEqual([]);
  });

  test("does not bring back the one that it took the place of", async () => {
    const version = await first();
    await decide(version, { decision: "refused" });
    await decide(version, { expiresAt: SOON });
    await passEndDates(version);
    await expireApprovals(catalog, 10);
    expect(await stateOf(version)).toBe("needs_approval");
  });

  test("changes nothing where it has been decided anew", async () => {
    const version = await first();
    await decide(version, { expiresAt: SOON });
    await decide(version);
    await passEndDates(version);
    expect(await expireApprovals(catalog, 10)).toHaveLength(1);
    expect(await stateOf(version)).toBe("ready");
  });

  test("counts for nothing after it, also before anybody has acted on that", async () => {
    const one = await first();
    await decide(one, { expiresAt: SOON });
    await passEndDates(one);
    const two = await second(one, asking(NETWORK));
    expect(await stateOf(two)).toBe("needs_approval");
    await expireApprovals(catalog, 10);
  });
});

describe("at the same time", () => {
  const lockWaits = async () =>
    (
      await catalog.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
      )
    ).rowCount;

  test("a decision and the end of a later version's work: whoever comes second sees the first", async () => {
    const one = await first();
    const two = await next(one);
    await work(catalog, "dedup", [two.versionId], done<"dedup">(DEDUP_RESULT));
    await work(catalog, "validate", [two.versionId], done<"validate">(asking(NETWORK)));
    await work(catalog, "extract", [two.versionId], done<"extract">(EXTRACT_RESULT));
    await work(catalog, "compress", [two.versionId], done<"compress">({}));
    let finishing: Promise<unknown> = Promise.resolve();
    await catalog.transaction(async (tx) => {
      await recordApproval(within(tx), decision(one));
      finishing = work(catalog, "backup", [two.versionId], done<"backup">(BACKUP_RESULT));
      await expect.poll(lockWaits).toBe(1);
    });
    await finishing;
    expect([await stateOf(one), await stateOf(two)]).toEqual(["ready", "ready"]);
  });

  test("the end of a later version's work and a decision", async () => {
    const one = await first();
    const two = await next(one);
    let deciding: Promise<unknown> = Promise.resolve();
    await finish(catalog, two.versionId, asking(NETWORK));
    await catalog.transaction(async (tx) => {
      // As a stage's end does it.
      await tx.query("update versions set state = 'processing' where id = $1", [two.versionId]);
      await tx.query("update versions set state = 'needs_approval' where id = $1", [two.versionId]);
      await decideStates(tx, [two.versionId]);
      deciding = decide(one);
      await expect.poll(lockWaits).toBe(1);
    });
    await deciding;
    expect(await stateOf(two)).toBe("ready");
  });

  test("a version that starts over and a decision: it goes on, and heeds the decision in the end", async () => {
    const one = await first();
    let deciding: Promise<unknown> = Promise.resolve();
    await catalog.transaction(async (tx) => {
      await tx.query("update versions set state = 'processing', verdict = null where id = $1", [
        one.versionId,
      ]);
      deciding = recordApproval(catalog, decision(one));
      await expect.poll(lockWaits).toBe(1);
    });
    await deciding;
    expect(await stateOf(one)).toBe("processing");
    await catalog.query(
      "update versions set state = 'needs_approval', verdict = 'needs_approval' where id = $1",
      [one.versionId],
    );
    await decideStates(catalog, [one.versionId]);
    expect(await stateOf(one)).toBe("ready");
  });

  test("a decision and another verdict: the state is that of both", async () => {
    const version = await first();
    const judge = (verdict: string) =>
      catalog.transaction(async (tx) => {
        await lockDecisions(tx, [version.scriptId]);
        await tx.query(
          "update versions set verdict = $2, state = state_of_verdict($2) where id = $1",
          [version.versionId, verdict],
        );
        await decideStates(tx, [version.versionId]);
      });
    for (let round = 0; round < 20; round += 1) {
      const verdict = round % 2 === 0 ? "refused" : "needs_approval";
      const choice = round % 3 === 0 ? "refused" : "granted";
      const [outcome] = await Promise.all([
        recordApproval(catalog, decision(version, { decision: choice })),
        judge(verdict),
      ]);
      if (verdict === "refused") expect(await stateOf(version)).toBe("rejected");
      else if (outcome.kind === "recorded")
        expect(await stateOf(version)).toBe(choice === "granted" ? "ready" : "rejected");
    }
  });

  test("many decisions are made one after the other, and the last one holds", async () => {
    const version = await first();
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        decide(version, { decision: index % 2 === 0 ? "granted" : "refused" }),
      ),
    );
    const { items } = await listApprovals(catalog, { scriptId: version.scriptId, limit: 1 });
    expect(await stateOf(version)).toBe(items[0]?.decision === "granted" ? "ready" : "rejected");
  });
});

/** Lets what opens a transaction of its own be part of one that is open. */
function within(tx: Pick<Catalog, "query">): Catalog {
  return { ...catalog, query: tx.query.bind(tx), transaction: (inner) => inner(tx) };
}

describe("the audit log", () => {
  test("can only be appended to", async () => {
    await recordAudit(catalog, [{ actor: "alice", action: "approval.granted" }]);
    for (const statement of [
      "update audit_log set actor = 'bob'",
      "delete from audit_log",
      "truncate audit_log",
    ]) {
      await expect(catalog.query(statement)).rejects.toThrow(/only ever appended to/);
    }
  });

  test("is read newest first, page by page, by script, action and time", async () => {
    const scriptId = randomUUID();
    const since = new Date();
    const actions = ["approval.granted", "approval.refused", "approval.granted"] as const;
    for (const [index, action] of actions.entries()) {
      await recordAudit(catalog, [{ actor: `a${index}`, action, scriptId, details: { index } }]);
    }
    const page = await listAudit(catalog, { filter: { scriptId, since }, limit: 2 });
    expect(page.items.map(({ details }) => details)).toEqual([{ index: 2 }, { index: 1 }]);
    const rest = await listAudit(catalog, { filter: { scriptId }, before: page.next, limit: 2 });
    expect(rest.items.map(({ details }) => details)).toEqual([{ index: 0 }]);
    expect(rest.next).toBeUndefined();
    const granted = await listAudit(catalog, {
      filter: { scriptId, action: "approval.granted" },
      limit: 9,
    });
    expect(granted.items.map(({ actor }) => actor)).toEqual(["a2", "a0"]);
    const later = new Date(Date.now() + 60_000);
    expect(
      (await listAudit(catalog, { filter: { scriptId, since: later }, limit: 9 })).items,
    ).toEqual([]);
  });

  test("outlives a script and its decisions", async () => {
    const version = await first();
    await decide(version);
    await catalog.query("delete from stages where version_id = $1", [version.versionId]);
    await catalog.query("delete from analyses where leader = $1", [version.versionId]);
    await catalog.query("delete from versions where id = $1", [version.versionId]);
    await catalog.query("delete from scripts where id = $1", [version.scriptId]);
    const left = await listApprovals(catalog, { scriptId: version.scriptId, limit: 9 });
    expect(left.items).toEqual([]);
    expect(await auditOf(version)).toHaveLength(2);
  });
});
