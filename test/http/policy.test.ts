import type {
  PolicyDryRun,
  PolicyInForce,
  PolicyList,
  Problem,
  ScriptDetails,
} from "@sluice/contracts";
import { PolicyInForce as InForce, reevaluateBatch } from "@sluice/policies";
import { DEFAULT_POLICY_DOCUMENT } from "@sluice/python-analysis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Judged, store } from "../catalog/judged.js";
import { describeWith } from "../servers/index.js";
import { call } from "./client.js";
import { type Ingest, startIngest } from "./ingest.js";

const OPEN = `# Everything goes.
name: open
version: 1
capabilities: {default: allowed}
imports: {default: allowed}
`;
const STRICT = `name: strict
version: 2
capabilities: {default: allowed, refused: [process.*]}
imports: {default: allowed, needs_approval: [numpy]}
`;
const SHELL = "import os\nos.system('ls')\n";

describeWith(["postgres"], "the policy in force", () => {
  let ingest: Ingest;
  beforeAll(async () => {
    ingest = await startIngest();
  });
  afterAll(() => ingest.stop());

  const read = () => call<PolicyInForce>(ingest, "readPolicy", "/api/v1/policy");
  const put = <Body = PolicyInForce>(
    body: string | Uint8Array<ArrayBuffer>,
    { query = "", headers = {} }: { query?: string; headers?: Record<string, string> } = {},
  ) =>
    call<Body>(ingest, "updatePolicy", `/api/v1/policy${query}`, {
      body,
      headers: { "Content-Type": "application/yaml", ...headers },
    });
  const enforce = async (text: string) => {
    const answer = await put(text, { headers: { "If-Match": "*" } });
    expect(answer.status).toBe(202);
    return answer;
  };
  const reevaluate = async () => {
    const policy = await new InForce(ingest.catalog).current();
    while ((await reevaluateBatch(ingest.catalog, policy)).left === "some");
  };
  const stateOf = async (scriptId: string) =>
    (await call<ScriptDetails>(ingest, "readScript", `/api/v1/scripts/${scriptId}`)).body.state;

  it("is the one that comes with Sluice, until another one is sent", async () => {
    const { status, body } = await read();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: 1,
      name: "default",
      version: DEFAULT_POLICY_DOCUMENT.version,
      activated_by: "default",
      outdated: 0,
      under_way: 0,
    });
    expect(body.source).toContain("# The policy that is used where none is given.");
  });

  it("is changed by whoever has seen it, and what is stored follows", async () => {
    await enforce(OPEN);
    const { scriptId } = await store(ingest.catalog, SHELL);
    const seen = await read();
    expect(seen.body).toMatchObject({ name: "open", source: OPEN, activated_by: "local" });
    const etag = seen.headers.get("etag") as string;
    const known = await call(ingest, "readPolicy", "/api/v1/policy", {
      headers: { "If-None-Match": etag },
    });
    expect(known.status).toBe(304);

    const changed = await put(STRICT, { headers: { "If-Match": etag } });
    expect(changed.status).toBe(202);
    expect(changed.body).toMatchObject({ name: "strict", outdated: 1, applied_at: null });
    expect(await stateOf(scriptId)).toBe("ready");
    const late = await put<Problem>(OPEN, { headers: { "If-Match": etag } });
    expect([late.status, late.body.code]).toEqual([412, "revision_mismatch"]);
    const unseen = await put<Problem>(OPEN);
    expect([unseen.status, unseen.body.code]).toEqual([428, "if_match_required"]);

    await reevaluate();
    expect(await stateOf(scriptId)).toBe("rejected");
    const after = await read();
    expect(after.body).toMatchObject({ outdated: 0, judged: 1, changed: 1 });
    expect(after.body.applied_at).not.toBeNull();
    // What has been judged since is no change of the policy.
    const again = await put(STRICT, {
      headers: { "If-Match": changed.headers.get("etag") as string },
    });
    expect([again.status, again.body.id]).toEqual([202, after.body.id]);

    const list = await call<PolicyList>(ingest, "listPolicies", "/api/v1/policies?limit=2");
    expect(list.body.items.map(({ name }) => name)).toEqual(["strict", "open"]);
    const rest = await call<PolicyList>(
      ingest,
      "listPolicies",
      `/api/v1/policies?cursor=${list.body.next_cursor}`,
    );
    expect(rest.body).toMatchObject({ items: [{ name: "default" }], next_cursor: null });

    // What was in force before can be read, and so put in force again.
    const earlier = list.body.items[1];
    const written = await call(ingest, "readWrittenPolicy", `/api/v1/policies/${earlier?.id}`);
    expect([written.status, written.body]).toEqual([200, { ...earlier, source: OPEN }]);
    for (const [id, status, code] of [
      ["2147483647", 404, "policy_not_found"],
      ["2147483648", 400, "invalid_id"],
      ["0", 400, "invalid_id"],
      ["latest", 400, "invalid_id"],
    ] as const) {
      const path = `/api/v1/policies/${id}`;
      const wrong = await call<Problem>(ingest, "readWrittenPolicy", path);
      expect([wrong.status, wrong.body.code]).toEqual([status, code]);
    }
  });

  it("may be sent as JSON", async () => {
    const source = JSON.stringify({ name: "json", version: "1" });
    const { status, body } = await put(source, {
      headers: { "Content-Type": "application/json; charset=utf-8", "If-Match": "*" },
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ name: "json", source });
  });

  it("is tried out first, which changes nothing", async () => {
    await enforce(OPEN);
    await reevaluate();
    const stored = (await put<PolicyDryRun>(OPEN, { query: "?dry_run=true" })).body.counts;
    const shells: Judged[] = [];
    for (let i = 0; i < 5; i += 1)
      shells.push(await store(ingest.catalog, `${SHELL}# ${i}\n`, `team/${i}`));
    await store(ingest.catalog, "import numpy\n");
    await store(ingest.catalog, "x = 1\n");
    const before = await read();

    const { status, body } = await put<PolicyDryRun>(STRICT, { query: "?dry_run=true" });
    expect(status).toBe(200);
    expect(body.counts).toEqual({
      versions: 7 + (stored?.versions ?? 0),
      unknown: 0,
      transitions: [
        { from: "ready", to: "needs_approval", count: 1 },
        { from: "ready", to: "rejected", count: 6 },
      ],
    });
    expect(body.items.find(({ script_id }) => script_id === shells[0]?.scriptId)).toEqual({
      script_id: shells[0]?.scriptId,
      version: 1,
      namespace: "team/0",
      filename: expect.stringMatching(/\.py$/) as string,
      from: "ready",
      to: "rejected",
      reasons: [{ kind: "capability", name: "process.spawn", from: "allowed", to: "refused" }],
    });
    expect(body.items.find(({ to }) => to === "needs_approval")?.reasons).toEqual([
      { kind: "import", name: "numpy", from: "allowed", to: "needs_approval" },
    ]);
    expect(body.next_cursor).toBeNull();
    expect((await read()).headers.get("etag")).toBe(before.headers.get("etag"));

    const pages: PolicyDryRun[] = [];
    for (let cursor = ""; ;) {
      const page = await put<PolicyDryRun>(STRICT, { query: `?dry_run=true&limit=2${cursor}` });
      pages.push(page.body);
      if (page.body.next_cursor === null) break;
      cursor = `&cursor=${page.body.next_cursor}`;
    }
    expect(pages.flatMap(({ items }) => items)).toEqual(body.items);
    expect(pages.map(({ counts }) => counts)).toEqual([body.counts, null, null, null]);
    const other = await put<Problem>(OPEN, {
      query: `?dry_run=true&cursor=${pages[0]?.next_cursor}`,
    });
    expect([other.status, other.body.code]).toEqual([400, "invalid_cursor"]);
  });

  it("is refused with every mistake by its path", async () => {
    const wrong =
      "name: a\ncapabilities: {allowed: [flying]}\nnamespaces: {a: {limits: {max_line: 1}}}\n";
    for (const query of ["", "?dry_run=true"]) {
      const { status, body } = await put<Problem>(wrong, { query, headers: { "If-Match": "*" } });
      expect([status, body.code]).toEqual([422, "invalid_policy"]);
      expect(body.errors?.map(({ name }) => name)).toEqual([
        "version",
        "capabilities.allowed[0]",
        "namespaces.a.limits.max_line",
      ]);
      expect(body.errors?.[1]?.message).toContain("there are");
    }
  });

  it.each([
    ["no YAML", "name: [", "invalid_policy", 422],
    ["nothing", "", "invalid_policy", 422],
    ["a list", "- a", "invalid_policy", 422],
    [
      "a bomb",
      "a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c,*c,*c]",
      "invalid_policy",
      422,
    ],
    ["no UTF-8", new Uint8Array([0x6e, 0xff]), "malformed_text", 400],
    ["with NUL", "name: a\0", "malformed_text", 400],
    ["300 KB", `name: ${"x".repeat(300_000)}`, "body_too_large", 413],
  ] as const)("is not %s", async (_what, body, code, expected) => {
    const { status, body: problem } = await put<Problem>(body, { headers: { "If-Match": "*" } });
    expect([status, problem.code]).toEqual([expected, code]);
    expect((await read()).body.name).not.toBe("a");
  });

  it.each([
    [{ "Content-Type": "text/plain" }, 415, "unsupported_media_type"],
    [{ "Content-Type": "application/yaml; charset=koi8-r" }, 415, "unsupported_media_type"],
    [{ "Content-Encoding": "gzip" }, 415, "unsupported_content_encoding"],
    [{ "If-Match": "nonsense" }, 412, "revision_mismatch"],
    // With an ellipsis, as documents print it: no tag that was ever given.
    [{ "If-Match": '"r1.\u00e2\u0080\u00a6"' }, 412, "revision_mismatch"],
    [{ "If-Match": '"r1."' }, 412, "revision_mismatch"],
  ])("is not taken with %j", async (headers, expected, code) => {
    const { status, body } = await put<Problem>(STRICT, {
      headers: { "If-Match": "*", ...headers },
    });
    expect([status, body.code]).toEqual([expected, code]);
  });

  it.each(["?dry_run=yes", "?limit=0", "?dry_run=true&cursor=x", "?namespace=a"])(
    "is not taken with %s",
    async (query) => {
      const { status } = await put<Problem>(STRICT, { query, headers: { "If-Match": "*" } });
      expect(status).toBe(400);
    },
  );
});
