import { type Catalog, expireApprovals, recordApproval } from "@sluice/catalog";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sharedPostgres } from "../servers/index.js";
import { asking, finish, openFreshCatalog, register, sha256Of, upload } from "./fixture.js";

let catalog: Catalog;
beforeAll(async () => {
  catalog = await openFreshCatalog(sharedPostgres());
});
afterAll(async () => {
  await catalog.close();
});

type Asked = Readonly<Record<string, readonly string[]>>;
type Step =
  /** New bytes that ask for this. */
  | { readonly kind: "upload"; readonly asked: Asked }
  /** The bytes of an earlier version again. */
  | { readonly kind: "again"; readonly of: number }
  | {
      readonly kind: "decide";
      readonly on: number;
      readonly decision: "granted" | "refused";
      readonly capabilities: readonly string[];
      readonly ends: boolean;
    }
  /** All end dates pass. */
  | { readonly kind: "end" };

const CAPABILITIES = ["network.client", "filesystem.read"];
const references = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 });
const asked: fc.Arbitrary<Asked> = fc
  .record(Object.fromEntries(CAPABILITIES.map((name) => [name, references])), { requiredKeys: [] })
  .filter((each) => Object.keys(each).length > 0) as fc.Arbitrary<Asked>;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("upload" as const), asked }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("again" as const), of: fc.nat() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("decide" as const),
      on: fc.nat(),
      decision: fc.constantFrom("granted" as const, "refused" as const),
      capabilities: fc.uniqueArray(fc.constantFrom(...CAPABILITIES, "*"), { minLength: 1 }),
      ends: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const) }) },
);

/** What one script's versions and decisions come to, said as simply as can be. */
class Model {
  /** The bytes of each version, by their number among the bytes; these are in order of their first version. */
  readonly versions: number[] = [];
  readonly bytes: Asked[] = [];
  readonly decisions: {
    readonly bytes: number;
    readonly items: Asked;
    readonly decision: "granted" | "refused";
    readonly ends: boolean;
    over: boolean;
  }[] = [];

  states(): string[] {
    return this.versions.map((bytes) => this.#stateOf(bytes));
  }

  #stateOf(bytes: number): string {
    const held = Object.entries(this.bytes[bytes] ?? {}).map(([name, wanted]) => {
      const latest = this.decisions.findLast(({ items, bytes: on }) => {
        const known = items[name];
        if (known === undefined) return false;
        return on === bytes || (on < bytes && wanted.every((each) => known.includes(each)));
      });
      return latest === undefined || latest.over ? "open" : latest.decision;
    });
    if (held.includes("refused")) return "rejected";
    return held.includes("open") ? "needs_approval" : "ready";
  }
}

const HOUR_MS = 3_600_000;
let scripts = 0;

test("whatever is uploaded and decided, every version has the state that it should have", async () => {
  await fc.assert(
    fc.asyncProperty(
      asked,
      fc.array(step, { minLength: 1, maxLength: 12 }),
      async (begin, steps) => {
        const model = new Model();
        const name = `model-${(scripts += 1)}.py`;
        let scriptId: string | undefined;

        const put = async (bytes: number): Promise<void> => {
          const text = `${name} ${bytes}`;
          const version = model.versions.length + 1;
          const { versionId, ...made } = await register(
            catalog,
            upload(name, text, { version, ...(scriptId !== undefined && { scriptId }) }),
          );
          scriptId = made.scriptId;
          expect(made.sha256).toBe(sha256Of(text));
          await finish(catalog, versionId, asking(model.bytes[bytes] ?? {}));
          model.versions.push(bytes);
        };
        const take = async (each: Step): Promise<void> => {
          switch (each.kind) {
            case "upload":
              return put(model.bytes.push(each.asked) - 1);
            case "again": {
              const bytes = model.versions[each.of % model.versions.length] as number;
              // The newest bytes again make no version.
              return bytes === model.versions.at(-1) ? undefined : put(bytes);
            }
            case "decide": {
              const on = each.on % model.versions.length;
              const bytes = model.versions[on] as number;
              const outcome = await recordApproval(catalog, {
                scriptId: scriptId as string,
                version: on + 1,
                decision: each.decision,
                capabilities: each.capabilities,
                imports: [],
                reason: "model",
                actor: "model",
                expiresAt: each.ends ? new Date(Date.now() + HOUR_MS) : undefined,
              });
              const all = Object.entries(model.bytes[bytes] ?? {});
              const has = (pattern: string) =>
                pattern === "*" || all.some(([key]) => key === pattern);
              expect(outcome.kind).toBe(each.capabilities.every(has) ? "recorded" : "not_asked");
              if (outcome.kind !== "recorded") return;
              const items = all.filter(
                ([key]) => each.capabilities.includes(key) || each.capabilities.includes("*"),
              );
              const { decision, ends } = each;
              const over = false;
              model.decisions.push({
                bytes,
                items: Object.fromEntries(items),
                decision,
                ends,
                over,
              });
              expect(outcome.state).toBe(model.states()[on]);
              return;
            }
            case "end":
              await catalog.query(
                "update approvals set expires_at = now() where script_id = $1 and expires_at is not null",
                [scriptId],
              );
              await expireApprovals(catalog, 100);
              for (const decision of model.decisions) decision.over ||= decision.ends;
          }
        };

        for (const each of [{ kind: "upload" as const, asked: begin }, ...steps]) {
          await take(each);
          const { rows } = await catalog.query<{ state: string }>(
            "select state from versions where script_id = $1 order by number",
            [scriptId],
          );
          expect(rows.map(({ state }) => state)).toEqual(model.states());
        }
      },
    ),
    { numRuns: 40 },
  );
});
