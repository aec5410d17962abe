import { randomUUID } from "node:crypto";
import type {
  LegalHold,
  Problem,
  Retention,
  RetentionDryRun,
  RetentionPolicyList,
  ScriptRetention,
  TrashList,
} from "@sluice/contracts";
import { activateRetentionPolicy, purgeStep } from "@sluice/catalog";
import { parseRetentionPolicy, runRetention } from "@sluice/retention";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

const YAML = { "Content-Type": "application/yaml" };
const JSON_TYPE = { "Content-Type": "application/json" };
const DAY_MS = 86_400_000;
const RULES = `name: house rules
version: 1
rules:
  - {name: gone, of: scripts, unused: 1y, action: delete}
  - {name: slow, of: scripts, namespace: old/*, age: 90d, action: archive}
  - {name: many, beyond_versions: 1, action: delete}
brakes: {max_share: 100%}
`;
/** What of it can be put in force. */
const ENFORCEABLE = `name: house rules
version: 1
rules:
  - {name: gone, of: scripts, unused: 1y, action: delete}
  - {name: many, beyond_versions: 1, action: delete}
`;

describeWith(["postgres"], "the retention policy", () => {
  let ingest: Ingest;
  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());

  const read = () => call<Retention>(ingest, "readRetention", "/api/v1/retention");
  const put = <Body = Retention>(body: string, query = "", headers: Record<string, string> = {}) =>
    call<Body>(ingest, "updateRetention", `/api/v1/retention${query}`, {
      body,
      headers: { ...YAML, ...headers },
    });
  /** Whatever it says. */
  const enforce = async (source: string): Promise<void> => {
    const { name, version } = parseRetentionPolicy(source);
    const policy = { name, version, source, activatedBy: "local" };
    await activateRetentionPolicy(ingest.catalog, policy, (current) => current?.source !== source);
  };
  const explain = <Body = ScriptRetention>(id: string, query = "") =>
    call<Body>(ingest, "readScriptRetention", `/api/v1/scripts/${id}/retention${query}`);
  const hold = <Body = LegalHold>(id: string, body: unknown) =>
    call<Body>(ingest, "placeLegalHold", `/api/v1/scripts/${id}/legal_hold`, {
      method: "PUT",
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    });
  const lift = (id: string) =>
    call<Problem>(ingest, "liftLegalHold", `/api/v1/scripts/${id}/legal_hold`);
  const remove = (id: string) =>
    call<Problem>(ingest, "deleteScript", `/api/v1/scripts/${id}?confirm=${id}`);
  /** Versions of a script, ready and so many days old, the newest last. */
  const store = async (days: readonly number[], namespace = "default"): Promise<string> => {
    const name = `${randomUUID()}.py`;
    let scriptId = "";
    for (const [index, age] of days.entries()) {
      const query = `?namespace=${encodeURIComponent(namespace)}`;
      const { body } = await upload(ingest, name, `x = ${index}\n`, { query });
      scriptId = body.script_id;
      await ingest.catalog.query(
        "update versions set state = 'ready', created_at = now() - $3 * interval '1 day' where script_id = $1 and number = $2",
        [scriptId, body.version, age],
      );
    }
    return scriptId;
  };
  const round = () =>
    runRetention(
      {
        catalog: ingest.catalog,
        actions: {
          deleteVersions: async () => new Set(),
          archive: async () => new Set(),
          checkBackup: async () => {},
        },
        intervalMs: 0,
        perSecond: 1e9,
        trashMs: 30 * 86_400_000,
        now: Date.now,
        onActed: () => {},
      },
      { cursor: undefined, save: async () => {}, signal: new AbortController().signal },
    );

  it("is none at first, which keeps everything", async () => {
    const { status, body } = await read();
    expect([status, body]).toEqual([200, { policy: null, pause: null, last_round: null }]);
    const id = await store([5_000]);
    expect((await explain(id)).body).toMatchObject({
      standing: "stored",
      policy: null,
      script: [{ from: null, action: "keep", rule: null, protected_by: [] }],
      versions: [{ version: 1, outlook: [{ action: "keep", rule: null }] }],
      history: [],
    });
    await remove(id);
  });

  it("is changed by whoever has seen it, and kept as it was written", async () => {
    const none = await read();
    const first = await put(ENFORCEABLE, "", { "If-Match": none.headers.get("etag") as string });
    expect(first.status).toBe(202);
    expect(first.body.policy).toMatchObject({
      id: 1,
      name: "house rules",
      source: ENFORCEABLE,
      activated_by: "local",
    });
    const seen = await read();
    const etag = seen.headers.get("etag") as string;
    expect(seen.body).toEqual(first.body);
    expect(first.headers.get("etag")).toBe(etag);
    const known = await call(ingest, "readRetention", "/api/v1/retention", {
      headers: { "If-None-Match": etag },
    });
    expect(known.status).toBe(304);
    // The same again is no change.
    expect((await put(ENFORCEABLE, "", { "If-Match": etag })).body.policy?.id).toBe(1);

    expect((await put(`${ENFORCEABLE}# more\n`, "", { "If-Match": etag })).body.policy?.id).toBe(2);
    for (const [headers, status, code] of [
      [{ "If-Match": etag }, 412, "revision_mismatch"],
      [{}, 428, "if_match_required"],
      [{ "If-Match": "*", "Content-Type": "text/plain" }, 415, "unsupported_media_type"],
    ] as const) {
      const wrong = await put<Problem>(ENFORCEABLE, "", headers);
      expect([wrong.status, wrong.body.code]).toEqual([status, code]);
    }
    const list = await call<RetentionPolicyList>(
      ingest,
      "listRetentionPolicies",
      "/api/v1/retention_policies?limit=1",
    );
    expect(list.body.items.map(({ id }) => id)).toEqual([2]);
    const rest = await call<RetentionPolicyList>(
      ingest,
      "listRetentionPolicies",
      `/api/v1/retention_policies?cursor=${list.body.next_cursor}`,
    );
    expect(rest.body).toMatchObject({ items: [{ id: 1 }], next_cursor: null });
    const written = await call(
      ingest,
      "readWrittenRetentionPolicy",
      "/api/v1/retention_policies/1",
    );
    expect(written.body).toEqual({ ...rest.body.items[0], source: ENFORCEABLE });
    const unknown = await call<Problem>(
      ingest,
      "readWrittenRetentionPolicy",
      "/api/v1/retention_policies/3",
    );
    expect([unknown.status, unknown.body.code]).toEqual([404, "policy_not_found"]);
    const other = await call<Problem>(
      ingest,
      "listPolicies",
      `/api/v1/policies?cursor=${list.body.next_cursor}`,
    );
    expect([other.status, other.body.code]).toEqual([400, "invalid_cursor"]);
  });

  it("with a typo is refused whole, each mistake with its line and column", async () => {
    await enforce(RULES);
    const before = await read();
    const wrong = RULES.replace("age: 90d", "agee: 90d").replace("unused: 1y", "unused: 1 year");
    for (const query of ["", "?dry_run=true"]) {
      const { status, body } = await put<Problem>(wrong, query, { "If-Match": "*" });
      expect([status, body.code]).toEqual([422, "invalid_policy"]);
      expect(body.errors).toEqual([
        {
          in: "body",
          name: "rules[0].unused",
          line: 4,
          column: 39,
          message: expect.stringContaining("must be a duration") as string,
        },
        {
          in: "body",
          name: "rules[1].agee",
          line: 5,
          column: 49,
          message: expect.stringContaining("there are name, of,") as string,
        },
      ]);
    }
    expect((await read()).body).toEqual(before.body);
  });

  it("says what will become of a script and when, and what protects it", async () => {
    await enforce(RULES);
    const id = await store([80, 10], "old/jobs");
    const uploaded = async () => (await explain(id)).body.versions[0]?.upload_time ?? "";
    const due = async (days: number) => Date.parse(await uploaded()) + days * DAY_MS;
    const outlook = (await explain(id)).body;
    expect(outlook.script).toMatchObject([
      { action: "keep", rule: null },
      { action: "archive", rule: "slow", from: new Date(await due(90)).toISOString() },
      { action: "delete", rule: "gone" },
    ]);
    expect(outlook.versions[0]?.outlook).toMatchObject([
      { action: "keep" },
      { action: "archive", rule: "slow" },
      { action: "delete", rule: "gone", whole: true, protected_by: [] },
    ]);
    expect(outlook.versions[1]?.outlook[0]).toMatchObject({ action: "delete", rule: "many" });

    // A use moves the date.
    await ingest.catalog.query(
      "insert into script_use (script_id, last_used_at) values ($1, now() - interval '1 day')",
      [id],
    );
    const used = (await explain(id)).body;
    const dates = [outlook, used].map(({ versions }) => versions[0]?.outlook[2]?.from ?? "");
    expect(Date.parse(dates[1] as string) - Date.parse(dates[0] as string)).toBeGreaterThan(
      8 * DAY_MS,
    );
    await ingest.catalog.query("update scripts set pinned = true where id = $1", [id]);
    expect((await explain(id)).body).toMatchObject({
      pinned: true,
      versions: [{ version: 2 }, { version: 1, outlook: [{ protected_by: ["pinned"] }, {}, {}] }],
    });
    const paged = (await explain(id, "?limit=1")).body;
    expect(paged.versions.map(({ version }) => version)).toEqual([2]);
    const next = (await explain(id, `?limit=1&cursor=${paged.next_cursor}`)).body;
    expect(next).toMatchObject({ versions: [{ version: 1 }], next_cursor: null });
    expect((await explain(id, "?version=1")).body.versions).toEqual(next.versions);
    for (const [query, status, code] of [
      [`?version=1&cursor=${paged.next_cursor}`, 400, "invalid_cursor"],
      ["?version=3", 404, "version_not_found"],
      ["?version=0", 400, "invalid_query"],
    ] as const) {
      const wrong = await explain<Problem>(id, query);
      expect([wrong.status, wrong.body.code]).toEqual([status, code]);
    }
  });

  it("says why a script was deleted, by which rule or whom, also when it is long gone", async () => {
    await enforce(RULES);
    const policy = (await read()).body.policy;
    const [ruled, asked] = [await store([400]), await store([10])];
    await round();
    await remove(asked);
    const why = (await explain(ruled)).body;
    expect(why).toMatchObject({
      standing: "in_trash",
      script: [],
      versions: [],
      history: [
        {
          action: "script.deleted",
          actor: "retention",
          rule: "gone",
          policy_id: policy?.id,
          policy_version: policy?.version,
        },
      ],
    });
    expect(why.history[0]?.at.slice(0, 16)).toBe(why.deleted_at?.slice(0, 16));
    expect((await explain(asked)).body.history).toMatchObject([
      { action: "script.deleted", actor: "local", rule: null, policy_id: null },
    ]);

    const [trashed] = (
      await call<TrashList>(ingest, "listTrash", `/api/v1/trash?script_id=${ruled}`)
    ).body.items;
    expect(trashed).toMatchObject({ rule: "gone", policy_id: policy?.id, deleted_by: "retention" });
    expect(why.purge_at).toBe(trashed?.purge_at);
    await ingest.catalog.query("update trash set purge_at = now() where id = $1", [ruled]);
    const purged = await purgeStep(ingest.catalog, {
      item: { id: ruled, scriptId: ruled },
      limit: 100,
      manifestKey: () => "backups/manifests/none",
    });
    expect(purged.kind).toBe("purged");
    const gone = await explain(ruled);
    expect([gone.status, gone.body]).toEqual([
      200,
      {
        ...why,
        standing: "gone",
        deleted_at: why.history[0]?.at,
        purge_at: null,
        history: [
          {
            ...why.history[0],
            action: "script.purged",
            actor: "janitor",
            at: expect.any(String) as string,
          },
          ...why.history,
        ],
      },
    ]);
    const never = await explain<Problem>(randomUUID());
    expect([never.status, never.body.code]).toEqual([404, "script_not_found"]);
  });

  it("is tried out first, page by page", async () => {
    await enforce("name: none\nversion: 1\n");
    await ingest.catalog.query("update scripts set pinned = false");
    const scripts = [await store([400]), await store([400]), await store([3, 2])];
    const first = await put<RetentionDryRun>(RULES, "?dry_run=true&limit=2");
    expect(first.status).toBe(200);
    const rest = await put<RetentionDryRun>(
      RULES,
      `?dry_run=true&limit=2&cursor=${first.body.next_cursor}`,
    );
    expect(rest.body.at).toBe(first.body.at);
    expect(rest.body.next_cursor).toBeNull();
    const items = [...first.body.items, ...rest.body.items];
    expect(items).toMatchObject([
      { version: 1, action: "delete", rule: "many" },
      { script_id: scripts[0], version: null, action: "delete", rule: "gone" },
      { script_id: scripts[1], version: null, action: "delete", rule: "gone" },
      { script_id: scripts[2], version: 1, action: "delete", rule: "many" },
    ]);
    const other = await put<Problem>(
      RULES.replace("1y", "2y"),
      `?dry_run=true&cursor=${first.body.next_cursor}`,
    );
    expect([other.status, other.body.code]).toEqual([400, "invalid_cursor"]);
    expect((await read()).body.policy?.name).toBe("none");
  });

  it("goes on where it has stopped only for who has seen why", async () => {
    const pause = {
      id: randomUUID(),
      at: new Date().toISOString(),
      reason: "too_many",
      message: "12",
    };
    await ingest.catalog.query("update retention_state set pause = $1::jsonb", [
      JSON.stringify({ ...pause, removals: 12, of: 20 }),
    ]);
    const confirm = (body: unknown) =>
      call<Retention & Problem>(ingest, "confirmRetention", "/api/v1/retention/confirm", {
        headers: JSON_TYPE,
        body: JSON.stringify(body),
      });
    expect((await read()).body.pause).toEqual({ ...pause, removals: 12, of: 20 });
    const wrong = await confirm({ pause_id: randomUUID(), reason: "fine" });
    expect([wrong.status, wrong.body.code]).toEqual([409, "not_paused"]);
    for (const body of [{ pause_id: pause.id }, { pause_id: pause.id, reason: " " }, [], {}])
      expect((await confirm(body)).status).toBe(400);
    const right = await confirm({ pause_id: pause.id, reason: "fine" });
    expect([right.status, right.body.pause]).toEqual([200, null]);
    expect((await confirm({ pause_id: pause.id, reason: "fine" })).status).toBe(409);
  });

  it("never takes what is under legal hold, and neither does anybody else", async () => {
    await enforce(RULES);
    const id = await store([400]);
    const none = await call<Problem>(ingest, "readLegalHold", `/api/v1/scripts/${id}/legal_hold`);
    expect([none.status, none.body.code]).toEqual([404, "no_legal_hold"]);
    const placed = await hold(id, { reason: "case 7" });
    expect([placed.status, placed.body]).toMatchObject([201, { reason: "case 7", actor: "local" }]);
    const again = await hold(id, { reason: "case 8" });
    expect([again.status, again.body]).toMatchObject([
      200,
      { reason: "case 8", placed_at: placed.body.placed_at },
    ]);
    const refused = await remove(id);
    expect([refused.status, refused.body.code]).toEqual([409, "under_legal_hold"]);
    await round();
    expect((await explain(id)).body).toMatchObject({
      standing: "stored",
      legal_hold: { reason: "case 8" },
      script: [{ action: "delete", rule: "gone", protected_by: ["legal_hold"] }],
    });
    expect((await lift(id)).status).toBe(204);
    expect((await lift(id)).body.code).toBe("no_legal_hold");
    expect((await remove(id)).status).toBe(204);
    const actions = (await explain(id)).body.history.map(({ action, reason }) => [action, reason]);
    expect(actions).toEqual([
      ["script.deleted", null],
      ["legal_hold.lifted", "case 8"],
      ["legal_hold.placed", "case 8"],
      ["legal_hold.placed", "case 7"],
    ]);
    // In the trash it can be held, too.
    expect((await hold(id, { reason: "late" })).status).toBe(201);
    for (const body of [{}, { reason: "" }, { reason: 1 }, { reason: "x", until: "y" }])
      expect((await hold<Problem>(id, body)).status).toBe(400);
    for (const missing of [
      await hold<Problem>(randomUUID(), { reason: "x" }),
      await lift(randomUUID()),
    ])
      expect([missing.status, missing.body.code]).toEqual([404, "script_not_found"]);
  });
});
