import type {
  AnalysisReport,
  Approval,
  ApprovalList,
  AuditList,
  Problem,
  RecordedApproval,
  Report,
  ScriptDetails,
  Status,
  UploadedScript,
  VersionDetails,
} from "@sluice/contracts";
import type { Verdict } from "@sluice/pipeline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWith } from "../servers/index.js";
import { type Answer, call, upload } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";
import { ALL_STAGES, fail, pass } from "./stages.js";

const ALICE = "alices-key-of-16-and-more";
const OTHER = "a-key-of-nobody-in-particular";

const uses = (...references: string[]) =>
  references.map((reference, index) => ({ reference, line: index + 1, column: 1, chain: [] }));
const FOUND: Partial<AnalysisReport> = {
  capabilities: [
    {
      capability: "filesystem.read",
      decision: "needs_approval",
      uses: uses("open", "pathlib.Path.read_text", "open"),
    },
    { capability: "network.client", decision: "needs_approval", uses: uses("requests.get") },
    { capability: "system.info", decision: "allowed", uses: uses("os.getpid") },
  ],
  imports: ["requests", "foo.bar", "json"].map((module) => ({
    module,
    line: 1,
    column: 1,
    origin: "unknown",
    distribution: module,
    decision: module === "json" ? "allowed" : "needs_approval",
  })),
};

describeWith(["postgres"], "approvals", () => {
  let ingest: Ingest;
  beforeAll(async () => {
    ingest = await startIngest({ env: { API_KEYS: `alice:${ALICE},${OTHER}` } });
  });
  afterAll(() => ingest.stop());

  const by = (key: string) => ({ authorization: `Bearer ${key}` });
  const get = <Body>(id: Parameters<typeof call>[1], path: string) =>
    call<Body>(ingest, id, `/api/v1${path}`, { headers: by(ALICE) });

  let count = 0;
  const put = async (name = `s${(count += 1)}.py`): Promise<UploadedScript> => {
    const text = `x = ${(count += 1)}\n`;
    return (await upload(ingest, name, text, { headers: by(ALICE) })).body;
  };
  async function analysed(
    verdict: Verdict = "needs_approval",
    found: Partial<AnalysisReport> = FOUND,
    name?: string,
  ): Promise<UploadedScript> {
    const uploaded = await put(name);
    const stages = verdict === "invalid" ? ALL_STAGES.slice(0, 2) : ALL_STAGES;
    for (const stage of stages) await pass(ingest, uploaded, stage, { verdict, found });
    return uploaded;
  }
  const details = async ({ script_id }: UploadedScript) =>
    (await get<ScriptDetails>("readScript", `/scripts/${script_id}`)).body;

  const ALL = { decision: "granted", capabilities: ["*"], imports: ["*"], reason: "looked at it" };
  function decide<Body = RecordedApproval>(
    { script_id }: Pick<UploadedScript, "script_id">,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    return call<Body>(ingest, "decideApproval", `/api/v1/scripts/${script_id}/approvals`, {
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", ...by(ALICE), ...headers },
    });
  }
  const list = async ({ script_id }: UploadedScript, query = "") =>
    (await get<ApprovalList>("listApprovals", `/scripts/${script_id}/approvals${query}`)).body;
  const audit = async ({ script_id }: UploadedScript, query = "") =>
    (await get<AuditList>("listAudit", `/audit?script_id=${script_id}${query}`)).body;

  it("are asked for with what each is needed for", async () => {
    const uploaded = await analysed();
    const asked = {
      capabilities: [
        {
          capability: "filesystem.read",
          references: ["open", "pathlib.Path.read_text"],
          new_references: ["open", "pathlib.Path.read_text"],
          previously: null,
        },
        {
          capability: "network.client",
          references: ["requests.get"],
          new_references: ["requests.get"],
          previously: null,
        },
      ],
      imports: [
        { module: "requests", previously: null },
        { module: "foo.bar", previously: null },
      ],
    };
    const none = { capabilities: [], imports: [] };
    const approval = { asked, granted: none, refused: none };
    const path = `/scripts/${uploaded.script_id}`;
    expect(await details(uploaded)).toMatchObject({ state: "needs_approval", approval });
    const version = await get<VersionDetails>("readVersion", `${path}/versions/1`);
    expect(version.body.approval).toEqual(approval);
    const report = await get<Report>("readReport", `${path}/report`);
    expect(report.body.approval).toEqual(approval);
  });

  it("are not asked for where the policy has decided by itself", async () => {
    expect(await details(await analysed("allowed"))).toMatchObject({ approval: null });
    expect(await details(await analysed("refused"))).toMatchObject({ approval: null });
    expect(await details(await put())).toMatchObject({ approval: null });
  });

  it("make a version ready, by whom and why to be read by everybody", async () => {
    const uploaded = await analysed();
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const { status, body } = await decide(uploaded, {
      version: 1,
      sha256: uploaded.sha256,
      decision: "granted",
      capabilities: ["network.client", "filesystem.*"],
      imports: ["requests"],
      reason: "  needs the feed ",
      expires_at: end,
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      script_id: uploaded.script_id,
      version: 1,
      sha256: uploaded.sha256,
      decision: "granted",
      imports: ["requests"],
      reason: "  needs the feed ",
      actor: "alice",
      expires_at: end,
      expired: false,
      state: "needs_approval",
    });
    expect(body.capabilities).toEqual([
      { capability: "filesystem.read", references: ["open", "pathlib.Path.read_text"] },
      { capability: "network.client", references: ["requests.get"] },
    ]);
    const partly = await details(uploaded);
    expect(partly.approval).toMatchObject({
      asked: { capabilities: [], imports: [{ module: "foo.bar" }] },
      granted: {
        capabilities: [
          { capability: "filesystem.read", decision: { actor: "alice", expires_at: end } },
          { capability: "network.client" },
        ],
        imports: [{ module: "requests" }],
      },
    });

    const rest = await decide(uploaded, { ...ALL, capabilities: [], imports: ["foo.*"] });
    expect(rest.body).toMatchObject({ state: "ready", expires_at: null });
    expect(await details(uploaded)).toMatchObject({ state: "ready", verdict: "needs_approval" });
    const { state: _, ...first } = body;
    const { state: __, ...second } = rest.body;
    expect((await list(uploaded)).items).toEqual([second, first]);
  });

  it("that are refused reject the version, and say by whom and why", async () => {
    const uploaded = await analysed();
    await decide(uploaded, ALL);
    const refusal = {
      decision: "refused",
      capabilities: ["network.client"],
      reason: "no network, please",
    };
    const { body } = await decide(uploaded, refusal, by(OTHER));
    expect(body).toMatchObject({ state: "rejected", imports: [] });
    expect(body.actor).toMatch(/^key:[0-9a-f]{8}$/);
    expect(await details(uploaded)).toMatchObject({
      state: "rejected",
      approval: {
        asked: { capabilities: [], imports: [] },
        refused: {
          capabilities: [
            {
              capability: "network.client",
              decision: { reason: "no network, please", actor: body.actor },
            },
          ],
        },
      },
    });
    const granted = await decide(uploaded, { ...ALL, capabilities: ["network.*"], imports: [] });
    expect(granted.body.state).toBe("ready");
  });

  it("wake whoever waits for news of the status", async () => {
    const uploaded = await analysed();
    const path = `/api/v1/scripts/${uploaded.script_id}/status`;
    const before = await call<Status>(ingest, "readStatus", path, { headers: by(ALICE) });
    const waiting = call<Status>(ingest, "readStatus", `${path}?wait=30`, {
      headers: { ...by(ALICE), "if-none-match": before.headers.get("etag") as string },
    });
    const metrics = () => call<string>(ingest, "metrics", "/metrics", { headers: by(ALICE) });
    await expect
      .poll(async () => (await metrics()).body)
      .toMatch(/^sluice_status_waiters\{.*\} [1-9]/m);
    await decide(uploaded, ALL);
    const after = await waiting;
    expect([after.status, after.body.state]).toEqual([200, "ready"]);
    expect(after.headers.get("etag")).not.toBe(before.headers.get("etag"));
  });

  it("hold for a new version as far as it asks for no more", async () => {
    const uploaded = await analysed();
    await decide(uploaded, { ...ALL, reason: "fine" });
    const same = await analysed("needs_approval", FOUND, uploaded.filename);
    expect(same).toMatchObject({ script_id: uploaded.script_id, version: 2 });
    expect(await details(uploaded)).toMatchObject({ version: 2, state: "ready" });

    const more: Partial<AnalysisReport> = {
      capabilities: [
        {
          capability: "network.client",
          decision: "needs_approval",
          uses: uses("requests.get", "socket.create_connection"),
        },
      ],
      imports: FOUND.imports ?? [],
    };
    await analysed("needs_approval", more, uploaded.filename);
    const { approval, state } = await details(uploaded);
    expect(state).toBe("needs_approval");
    expect(approval?.asked).toMatchObject({
      capabilities: [
        {
          capability: "network.client",
          references: ["requests.get", "socket.create_connection"],
          new_references: ["socket.create_connection"],
          previously: { decision: "granted", version: 1, reason: "fine", actor: "alice" },
        },
      ],
      imports: [],
    });
    const query = `/scripts/${uploaded.script_id}/versions/2`;
    const older = await get<VersionDetails>("readVersion", query);
    expect(older.body.approval?.granted.imports).toHaveLength(2);
  });

  it("do not hold for the same bytes under another name", async () => {
    const uploaded = await analysed();
    await decide(uploaded, ALL);
    const text = await get("readContent", `/scripts/${uploaded.script_id}/content`);
    const copy = await upload(ingest, uploaded.filename, text.body as string, {
      query: "?namespace=elsewhere",
      headers: by(ALICE),
    });
    expect(copy.body.sha256).toBe(uploaded.sha256);
    await pass(ingest, copy.body, "dedup");
    expect(await details(copy.body)).toMatchObject({
      state: "needs_approval",
      approval: { asked: { capabilities: [{}, {}] } },
    });
    expect((await list(copy.body)).items).toEqual([]);
  });

  it("are listed page by page, and no more of a script that is gone", async () => {
    const uploaded = await analysed();
    for (const reason of ["one", "two", "three"]) await decide(uploaded, { ...ALL, reason });
    const reasons = ({ items }: ApprovalList) => items.map(({ reason }: Approval) => reason);
    const page = await list(uploaded, "?limit=2");
    expect(reasons(page)).toEqual(["three", "two"]);
    const rest = await list(uploaded, `?limit=2&cursor=${page.next_cursor}`);
    expect([reasons(rest), rest.next_cursor]).toEqual([["one"], null]);

    const path = `/scripts/${uploaded.script_id}`;
    const none = await analysed();
    const foreign = `/scripts/${none.script_id}/approvals?cursor=${page.next_cursor}`;
    expect((await get<Problem>("listApprovals", foreign)).body.code).toBe("invalid_cursor");
    await get("deleteScript", `${path}?confirm=${uploaded.script_id}`);
    expect((await get<Problem>("listApprovals", `${path}/approvals`)).body.code).toBe(
      "script_not_found",
    );
    expect((await decide<Problem>(uploaded, ALL)).body.code).toBe("script_not_found");
    expect((await audit(uploaded)).items.map(({ action }) => action)).toEqual([
      "script.deleted",
      "approval.granted",
      "approval.granted",
      "version.state_changed",
      "approval.granted",
    ]);
  });

  describe("with an Idempotency-Key", () => {
    it("are recorded once, and answered alike", async () => {
      const uploaded = await analysed();
      const headers = { "idempotency-key": `approve-${uploaded.script_id}` };
      const first = await decide(uploaded, ALL, headers);
      await decide(uploaded, { ...ALL, decision: "refused" });
      const again = await decide(uploaded, ALL, headers);
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect(again.headers.get("idempotency-replayed")).toBe("true");
      expect((await list(uploaded)).items).toHaveLength(2);
      for (const [body, by_] of [
        [{ ...ALL, reason: "another" }, ALICE],
        [ALL, OTHER],
      ] as const) {
        const other = await decide<Problem>(uploaded, body, { ...headers, ...by(by_) });
        expect([other.status, other.body.code]).toEqual([422, "idempotency_key_reused"]);
      }
    });

    it("are recorded once when sent many times at once", async () => {
      const uploaded = await analysed();
      const headers = { "idempotency-key": `many-${uploaded.script_id}` };
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => decide<{ code?: string }>(uploaded, ALL, headers)),
      );
      const codes = answers.map(({ status, body }) => body.code ?? status);
      expect(codes.filter((code) => code !== 201 && code !== "idempotency_key_in_use")).toEqual([]);
      expect((await list(uploaded)).items).toHaveLength(1);
    });

    it("that were turned down give the key back", async () => {
      const uploaded = await put();
      const headers = { "idempotency-key": `early-${uploaded.script_id}` };
      expect((await decide<Problem>(uploaded, ALL, headers)).body.code).toBe("not_ready");
      for (const stage of ALL_STAGES) await pass(ingest, uploaded, stage, { found: FOUND });
      expect((await decide(uploaded, ALL, headers)).status).toBe(201);
    });
  });

  describe("are turned down", () => {
    let uploaded: UploadedScript;
    beforeAll(async () => {
      uploaded = await analysed();
    });

    it.each<[string, unknown, number, string, RegExp]>([
      ["no JSON", "{", 400, "malformed_json", /JSON/],
      ["an empty body", "", 400, "malformed_json", /empty/],
      ["no object", "[]", 400, "invalid_body", /object/],
      ["nothing at all", {}, 400, "invalid_body", /decision/],
      ["no decision", { ...ALL, decision: undefined }, 400, "invalid_body", /decision/],
      ["another decision", { ...ALL, decision: "approved" }, 400, "invalid_body", /granted/],
      ["no reason", { ...ALL, reason: undefined }, 400, "invalid_body", /reason` must be there\./],
      ["an empty reason", { ...ALL, reason: "" }, 400, "invalid_body", /reason/],
      ["a blank reason", { ...ALL, reason: " \n\t" }, 400, "invalid_body", /reason/],
      ["a reason that is a number", { ...ALL, reason: 7 }, 400, "invalid_body", /reason/],
      ["a long reason", { ...ALL, reason: "x".repeat(2001) }, 400, "invalid_body", /2000/],
      ["a reason with NUL", { ...ALL, reason: "a\0b" }, 400, "invalid_body", /reason/],
      ["half a character", { ...ALL, reason: "a\ud800" }, 400, "invalid_body", /reason/],
      ["no lists", { decision: "granted", reason: "x" }, 400, "invalid_body", /at least one/],
      [
        "empty lists",
        { ...ALL, capabilities: [], imports: [] },
        400,
        "invalid_body",
        /at least one/,
      ],
      ["a text for a list", { ...ALL, capabilities: "*" }, 400, "invalid_body", /array/],
      ["an empty name", { ...ALL, capabilities: [""] }, 400, "invalid_body", /empty/],
      ["no names", { ...ALL, imports: [1] }, 400, "invalid_body", /string/],
      ["a name twice", { ...ALL, capabilities: ["*", "*"] }, 400, "invalid_body", /once/],
      ["a long name", { ...ALL, imports: ["x".repeat(301)] }, 400, "invalid_body", /300/],
      [
        "too many names",
        { ...ALL, imports: Array.from({ length: 1001 }, (_, index) => `m${index}`) },
        400,
        "invalid_body",
        /1000/,
      ],
      ["a date that is none", { ...ALL, expires_at: "soon" }, 400, "invalid_body", /RFC 3339/],
      [
        "a date without a zone",
        { ...ALL, expires_at: "2999-01-01T00:00:00" },
        400,
        "invalid_body",
        /RFC 3339/,
      ],
      [
        "a date that there is not",
        { ...ALL, expires_at: "2999-02-30T00:00:00Z" },
        400,
        "invalid_body",
        /RFC 3339/,
      ],
      ["version 0", { ...ALL, version: 0 }, 400, "invalid_body", /at least 1/],
      ["half a version", { ...ALL, version: 1.5 }, 400, "invalid_body", /version/],
      ["a version in quotes", { ...ALL, version: "1" }, 400, "invalid_body", /version/],
      ["a version beyond all", { ...ALL, version: 2 ** 31 }, 400, "invalid_body", /at most/],
      ["no hash", { ...ALL, sha256: "abc" }, 400, "invalid_body", /sha256/],
      ["what it has no field for", { ...ALL, actor: "bob" }, 400, "invalid_body", /actor/],
      ["a version that is none", { ...ALL, version: 9 }, 404, "version_not_found", /newest is 1/],
      ["other bytes", { ...ALL, sha256: "0".repeat(64) }, 409, "sha256_mismatch", /Version 1/],
      [
        "a date that is over",
        { ...ALL, expires_at: "2001-01-01T00:00:00+01:00" },
        422,
        "end_date_passed",
        /2000-12-31T23:00:00/,
      ],
      [
        "a capability that there is not",
        { ...ALL, capabilities: ["network.client", "networking", "network"] },
        422,
        "unknown_capability",
        /"networking", "network" is none.*network\.client/,
      ],
      [
        "a group that there is not",
        { ...ALL, capabilities: ["network.client.*"] },
        422,
        "unknown_capability",
        /network\.client\.\*/,
      ],
      [
        "a capability that it does not ask for",
        { ...ALL, capabilities: ["network.client", "process.spawn"] },
        422,
        "not_asked",
        /for "process\.spawn"\. It asks for the capabilities "filesystem\.read", "network\.client" and the imports "requests", "foo\.bar"/,
      ],
      [
        "a capability that the policy allows",
        { ...ALL, capabilities: ["system.info"] },
        422,
        "not_asked",
        /system\.info/,
      ],
      [
        "a group that it asks nothing of",
        { ...ALL, capabilities: ["process.*"] },
        422,
        "not_asked",
        /process/,
      ],
      [
        "an import that it asks not, and all the rest",
        { ...ALL, imports: ["*", "foo"] },
        422,
        "not_asked",
        /does not ask for "foo"\./,
      ],
      ["an import that it asks not", { ...ALL, imports: ["foo"] }, 422, "not_asked", /"foo"/],
      ["an import that is allowed", { ...ALL, imports: ["json"] }, 422, "not_asked", /"json"/],
    ])("with %s", async (_, body, status, code, detail) => {
      const answer = await decide<Problem>(uploaded, body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(answer.body.detail).toMatch(detail);
      expect((await list(uploaded)).items).toEqual([]);
    });

    it.each<[string, number, string]>([
      ["text/plain", 415, "unsupported_media_type"],
      ["application/json; charset=latin-1", 415, "unsupported_media_type"],
    ])("as %s", async (type, status, code) => {
      const answer = await decide<Problem>(uploaded, ALL, { "content-type": type });
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    });

    it("for a script that is none", async () => {
      const absent = { script_id: "0190a0b0-0000-7000-8000-000000000000" };
      expect((await decide<Problem>(absent, ALL)).body.code).toBe("script_not_found");
      const wrong = await decide<Problem>({ script_id: "x" }, ALL);
      expect([wrong.status, wrong.body.code]).toEqual([400, "invalid_id"]);
    });

    it("without a key, and by any other method", async () => {
      const nobody = await decide<Problem>(uploaded, ALL, { authorization: "" });
      expect([nobody.status, nobody.body.code]).toEqual([401, "unauthorized"]);
      const path = `/api/v1/scripts/${uploaded.script_id}/approvals`;
      const response = await fetch(ingest.url + path, { method: "DELETE", headers: by(ALICE) });
      expect([response.status, response.headers.get("allow")]).toEqual([
        405,
        "POST, GET, HEAD, OPTIONS",
      ]);
    });

    it("until the version is analysed", async () => {
      const early = await put();
      for (const stage of ALL_STAGES) {
        const { status, body, headers } = await decide<Problem>(early, ALL);
        expect([status, body.code, headers.get("retry-after")]).toEqual([409, "not_ready", "1"]);
        await pass(ingest, early, stage, { found: FOUND });
      }
      expect((await decide(early, ALL)).status).toBe(201);
    });

    it.each([
      ["allowed", /asks for nothing/],
      ["refused", /refused by the policy/],
      ["malicious", /malicious/],
      ["invalid", /not valid Python/],
    ] as const)("of a version that is %s", async (verdict, detail) => {
      const { status, body } = await decide<Problem>(await analysed(verdict), ALL);
      expect([status, body.code]).toEqual([409, "not_approvable"]);
      expect(body.detail).toMatch(detail);
    });

    it("of a version that failed", async () => {
      const failed = await put();
      await fail(ingest, failed, "dedup");
      const { body } = await decide<Problem>(failed, ALL);
      expect(body).toMatchObject({
        code: "not_approvable",
        detail: expect.stringMatching(/retry/),
      });
    });
  });

  describe("leave an audit log that", () => {
    it("says who did what to which bytes, and why", async () => {
      const uploaded = await analysed();
      await decide(uploaded, { ...ALL, reason: "because" });
      await decide(uploaded, { ...ALL, decision: "refused", capabilities: [] }, by(OTHER));
      const { items } = await audit(uploaded);
      const about = { script_id: uploaded.script_id, version: 1, sha256: uploaded.sha256 };
      expect(items).toMatchObject([
        { ...about, action: "version.state_changed", details: { from: "ready", to: "rejected" } },
        { ...about, action: "approval.refused", details: { capabilities: [] } },
        { ...about, action: "version.state_changed", actor: "alice" },
        {
          ...about,
          action: "approval.granted",
          actor: "alice",
          details: {
            capabilities: ["filesystem.read", "network.client"],
            imports: ["requests", "foo.bar"],
            reason: "because",
            expires_at: null,
          },
        },
      ]);
      const all = items.map(({ id }) => id);
      expect(all).toEqual(all.toSorted((a, b) => b - a));
      const text = JSON.stringify({ items, log: ingest.log });
      expect(text).not.toContain(ALICE);
      expect(text).not.toContain(OTHER);
    });

    it("is read page by page, by action and time", async () => {
      const uploaded = await analysed();
      for (const decision of ["granted", "refused"]) await decide(uploaded, { ...ALL, decision });
      const page = await audit(uploaded, "&limit=3");
      const rest = await audit(uploaded, `&limit=3&cursor=${page.next_cursor}`);
      expect([page.items.length, rest.items.length, rest.next_cursor]).toEqual([3, 1, null]);
      const refused = await audit(uploaded, "&action=approval.refused");
      expect(refused.items.map(({ action }) => action)).toEqual(["approval.refused"]);
      const at = refused.items[0]?.at as string;
      const since = await audit(uploaded, `&since=${at}`);
      expect(since.items.map(({ action }) => action)).toEqual([
        "version.state_changed",
        "approval.refused",
      ]);
      expect((await audit(uploaded, "&since=2999-01-01T00:00:00Z")).items).toEqual([]);
    });

    it.each([
      ["script_id=x", "invalid_query"],
      ["action=approval", "invalid_query"],
      ["since=yesterday", "invalid_query"],
      ["limit=0", "invalid_query"],
      ["limit=201", "invalid_query"],
      ["actor=alice", "invalid_query"],
      ["cursor=x", "invalid_cursor"],
    ])("refuses to be asked for %s", async (query, code) => {
      const { status, body } = await get<Problem>("listAudit", `/audit?${query}`);
      expect([status, body.code]).toEqual([400, code]);
    });
  });

  it("are made by `local` where nobody is asked for a key", async () => {
    const open = await startIngest();
    try {
      const { body } = await upload(open, "open.py", "x = 1\n");
      for (const stage of ALL_STAGES) await pass(open, body, stage);
      const { body: recorded } = await call<RecordedApproval>(
        open,
        "decideApproval",
        `/api/v1/scripts/${body.script_id}/approvals`,
        {
          // It asks for no import; `*` takes in what there is.
          body: JSON.stringify(ALL),
          headers: { "content-type": "application/json" },
        },
      );
      expect(recorded).toMatchObject({ actor: "local", state: "ready" });
    } finally {
      await open.stop();
    }
  });
});
