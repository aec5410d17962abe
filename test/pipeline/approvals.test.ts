import { randomUUID } from "node:crypto";
import type { ApprovalList, AuditList, RecordedApproval, ScriptDetails } from "@sluice/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../servers/index.js";
import { Client } from "./client.js";
import { Installation } from "./installation.js";
import { SET_UPS, type SetUp } from "./set-ups.js";

const removing = (...functions: string[]) =>
  `import os as o\n\n\ndef go(path: str) -> None:\n    """Go."""\n${functions
    .map((name) => `    o.${name}(path)\n`)
    .join("")}# ${randomUUID()}\n`;

const [EMBEDDED] = SET_UPS;
if (EMBEDDED === undefined) throw new Error("there is no set-up");

describeWith(EMBEDDED.parts, "a script that needs approval", () => {
  let setUp: SetUp;
  let sluice: Installation;
  let client: Client;

  beforeAll(async () => {
    setUp = await EMBEDDED.start();
    const env = { ...setUp.env, JANITOR_INTERVAL_SECONDS: "1" };
    sluice = await Installation.start(setUp.dataDir, env);
    client = new Client(sluice.url);
  });
  afterAll(async () => {
    if (sluice !== undefined) expect(await sluice.stop()).toBe(0);
    await setUp?.remove();
  });

  const post = (scriptId: string, body: object, key: string = randomUUID()) =>
    fetch(`${client.url}/api/v1/scripts/${scriptId}/approvals`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", "idempotency-key": key },
    });
  async function decide(scriptId: string, body: object): Promise<RecordedApproval> {
    const response = await post(scriptId, body);
    expect(response.status).toBe(201);
    return (await response.json()) as RecordedApproval;
  }
  const details = (scriptId: string) => client.get<ScriptDetails>(`/scripts/${scriptId}`);
  const GRANT = { decision: "granted", capabilities: ["filesystem.*"], reason: "tidies up" };

  test("is ready once it is granted; its next versions ask only for what is new", async () => {
    const { script_id: id } = await client.upload("tidy.py", removing("remove"));
    expect(await client.untilFinal(id)).toMatchObject({ state: "needs_approval" });
    const { approval } = await client.report(id);
    expect(approval?.asked).toMatchObject({
      capabilities: [{ capability: "filesystem.delete", references: ["os.remove"] }],
      imports: [],
    });
    expect(await decide(id, GRANT)).toMatchObject({ state: "ready", version: 1, actor: "local" });
    expect(await client.status(id)).toMatchObject({ state: "ready", verdict: "needs_approval" });

    await client.upload("tidy.py", removing("remove"));
    expect(await client.untilFinal(id)).toMatchObject({ version: 2, state: "ready" });

    await client.upload("tidy.py", removing("remove", "rmdir"));
    expect(await client.untilFinal(id)).toMatchObject({ version: 3, state: "needs_approval" });
    expect((await details(id)).approval?.asked.capabilities).toMatchObject([
      {
        capability: "filesystem.delete",
        references: ["os.remove", "os.rmdir"],
        new_references: ["os.rmdir"],
        previously: { version: 1, decision: "granted", reason: "tidies up" },
      },
    ]);
    await decide(id, { ...GRANT, decision: "refused", reason: "no directories" });
    expect(await client.status(id)).toMatchObject({ version: 3, state: "rejected" });

    const restored = await fetch(`${client.url}/api/v1/scripts/${id}/versions/2/restore`, {
      method: "POST",
    });
    expect(restored.status).toBe(202);
    // What was refused came after these bytes.
    expect(await client.untilFinal(id)).toMatchObject({ version: 4, state: "ready" });
  });

  test("asks again when the grant ends, though the janitor dies before that", async () => {
    const { script_id: id } = await client.upload("for-a-while.py", removing("unlink"));
    await client.untilFinal(id);
    const end = Date.now() + 3_000;
    await decide(id, { ...GRANT, expires_at: new Date(end).toISOString() });
    const path = `${client.url}/api/v1/scripts/${id}/status`;
    const before = await fetch(path);
    expect(await before.json()).toMatchObject({ state: "ready" });
    sluice.kill("janitor");
    const after = await fetch(`${path}?wait=60`, {
      headers: { "if-none-match": before.headers.get("etag") as string },
    });
    expect(await after.json()).toMatchObject({ state: "needs_approval" });
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    const { items } = await client.get<AuditList>(`/audit?script_id=${id}`);
    expect(items.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      "janitor version.state_changed",
      "janitor approval.expired",
      "local version.state_changed",
      "local approval.granted",
    ]);
  });

  test("is decided on once, and keeps its state, while the API and the workers die", async () => {
    const { script_id: id } = await client.upload("killed.py", removing("remove"));
    await client.untilFinal(id);
    const key = randomUUID();
    const answers = Array.from({ length: 5 }, () => post(id, GRANT, key).catch(() => undefined));
    sluice.kill("ingest");
    sluice.kill("validate");
    await Promise.all(answers);
    await expect
      .poll(
        () =>
          post(id, GRANT, key).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 150_000 },
      )
      .toBe(201);
    expect((await client.get<ApprovalList>(`/scripts/${id}/approvals`)).items).toHaveLength(1);
    expect(await client.status(id)).toMatchObject({ state: "ready" });
    await client.upload("killed.py", removing("remove"));
    sluice.kill("backup");
    expect(await client.untilFinal(id)).toMatchObject({ version: 2, state: "ready" });
  }, 240_000);
});
