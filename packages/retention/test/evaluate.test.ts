import type { RetainedScript, RetainedVersion } from "@sluice/catalog";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decide, foresee, USE_SLACK_MS } from "../src/evaluate.js";
import type { RetentionPolicy, RetentionRule } from "../src/document.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 25);

/** What the documentation says, word by word, of one script at one moment. */
function oracle(
  policy: RetentionPolicy,
  script: RetainedScript,
  now: number,
): { trash: string | undefined; fates: string[] } {
  const { versions } = script;
  const asList = versions.map((version, index) => ({ version, newer: versions.slice(0, index) }));
  const matches = (rule: RetentionRule, { version, newer }: (typeof asList)[number]): boolean => {
    const whole = rule.of === "scripts";
    const subject = whole ? (versions[0] as RetainedVersion) : version;
    const counted = whole ? versions.length - 1 : newer.length;
    const bytes = (whole ? versions : [...newer, version]).reduce((sum, { size }) => sum + size, 0);
    if (rule.namespace && !rule.namespace.some((each) => inNamespace(each, script.namespace)))
      return false;
    if (rule.tag && !rule.tag.some((tag) => script.tags.includes(tag))) return false;
    if (rule.state && !rule.state.includes(subject.state)) return false;
    if (rule.beyond_versions !== undefined && counted < rule.beyond_versions) return false;
    if (rule.beyond_size !== undefined && bytes <= rule.beyond_size) return false;
    if (rule.age !== undefined && now - subject.uploadedAt.getTime() < rule.age) return false;
    const used = script.lastUsedAt ?? subject.uploadedAt;
    const last = Math.max(used.getTime(), subject.uploadedAt.getTime());
    if (rule.unused !== undefined && now - last < rule.unused + USE_SLACK_MS) return false;
    return true;
  };
  const winners = asList.map((each) => policy.rules.find((rule) => matches(rule, each)));
  const first = asList[0] as (typeof asList)[number];
  const ofScripts = policy.rules.filter(({ of }) => of === "scripts");
  const whole = ofScripts.find((rule) => matches(rule, first));
  const open = versions.some(({ state }) => state === "queued" || state === "processing");
  const asked = versions.some(({ state }) => state === "needs_approval");
  const isFree = (rule: RetentionRule) =>
    !script.held && (!script.pinned || rule.even.includes("pinned"));
  const mayGo = (rule: RetentionRule) =>
    isFree(rule) &&
    !open &&
    (!asked || rule.even.includes("needs_approval")) &&
    winners.every((winner) => winner?.action !== "keep");
  if (whole?.action === "delete" && mayGo(whole))
    return { trash: whole.name, fates: versions.map(() => "delete") };
  const fates = asList.map(({ version, newer }, index) => {
    const rule = winners[index];
    if (rule === undefined || rule.action === "keep" || !isFree(rule)) return "keep";
    if (rule.of === "scripts" && rule.action === "delete") return "keep";
    if (version.state === "queued" || version.state === "processing") return "keep";
    if (version.state === "needs_approval" && !rule.even.includes("needs_approval")) return "keep";
    const isNewest = newer.length === 0;
    if (isNewest && rule.action === "delete") return "keep";
    if (isNewest && rule.of === "versions" && !rule.even.includes("newest_version")) return "keep";
    return rule.action;
  });
  return { trash: undefined, fates };
}

function inNamespace(pattern: string, namespace: string): boolean {
  if (pattern === "*") return true;
  const above = /^(.*)\/\*$/.exec(pattern)?.[1];
  if (above === undefined) return pattern === namespace;
  return namespace.split("/").length > above.split("/").length && namespace.startsWith(`${above}/`);
}

const DURATIONS = [1, 2, 3, 30].map((days) => days * DAY);
const STATES = ["queued", "processing", "ready", "needs_approval", "rejected", "failed"] as const;
const some = <T>(...values: readonly T[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }), {
    nil: undefined,
    freq: 2,
  });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

const rule = fc
  .record({
    of: fc.constantFrom("versions" as const, "scripts" as const),
    namespace: some("a", "a/*", "*", "b"),
    tag: some("x", "y"),
    state: some(...STATES),
    age: maybe(fc.constantFrom(...DURATIONS)),
    unused: maybe(fc.constantFrom(...DURATIONS)),
    beyond_versions: maybe(fc.integer({ min: 1, max: 4 })),
    beyond_size: maybe(fc.integer({ min: 1, max: 40 })),
    action: fc.constantFrom("keep" as const, "archive" as const, "delete" as const),
    even: fc.subarray(["pinned", "needs_approval", "newest_version"] as const),
  })
  .map((written) => ({ ...written, even: [...written.even] }));

const policies: fc.Arbitrary<RetentionPolicy> = fc.array(rule, { maxLength: 6 }).map((rules) => ({
  name: "p",
  version: "1",
  rules: rules.map((each, index): RetentionRule => ({ ...each, name: `r${index}` })),
  brakes: { max_share: 1, max_removals: 1_000 },
}));

// Around the moments at which something becomes due, to the millisecond.
const moment = fc
  .tuple(fc.constantFrom(0, ...DURATIONS), fc.integer({ min: -1, max: 1 }), fc.boolean())
  .map(([ago, off, slack]) => new Date(NOW - ago + off - (slack ? USE_SLACK_MS : 0)));

const scripts: fc.Arbitrary<RetainedScript> = fc.record({
  scriptId: fc.constant("s"),
  namespace: fc.constantFrom("a", "a/b", "ab", "b"),
  filename: fc.constant("f.py"),
  tags: fc.subarray(["x", "y", "z"]),
  pinned: fc.boolean(),
  held: fc.boolean(),
  lastUsedAt: maybe(moment),
  versions: fc
    .array(
      fc.record({
        state: fc.constantFrom(...STATES, "ready" as const, "ready" as const),
        uploadedAt: moment,
        size: fc.integer({ min: 0, max: 20 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((versions) =>
      versions
        .toSorted((a, b) => b.uploadedAt.getTime() - a.uploadedAt.getTime())
        .map((version, index) => ({
          ...version,
          versionId: `v${index}`,
          number: versions.length - index,
          sha256: String(index),
          storedSize: version.size,
          archived: false,
        })),
    ),
});

const fateOf = ({ action, protectedBy }: { action: string; protectedBy: readonly string[] }) =>
  protectedBy.length === 0 ? action : "keep";

test("decides what the documentation says, of any script under any policy", () => {
  fc.assert(
    fc.property(policies, scripts, (policy, script) => {
      const decision = decide(policy, script, NOW);
      const expected = oracle(policy, script, NOW);
      expect(decision.trash?.name).toBe(expected.trash);
      expect(decision.verdicts.map(fateOf)).toEqual(expected.fates);
    }),
    { numRuns: 20_000 },
  );
});

test("nothing that is held, or the only version without a rule of scripts, ever goes", () => {
  fc.assert(
    fc.property(policies, scripts, (policy, script) => {
      const held = decide(policy, { ...script, held: true }, NOW);
      expect(held.trash).toBeUndefined();
      expect(held.verdicts.map(fateOf).every((fate) => fate === "keep")).toBe(true);
      const rules = policy.rules.filter(({ of }) => of === "versions");
      const alone = decide({ ...policy, rules }, script, NOW);
      expect(alone.trash).toBeUndefined();
      expect(fateOf(alone.verdicts[0] as never)).not.toBe("delete");
    }),
    { numRuns: 5_000 },
  );
});

test("foresees, for every moment to come, what is decided then", () => {
  fc.assert(
    fc.property(
      policies,
      scripts,
      fc.integer({ min: 0, max: 40 * DAY }),
      (policy, script, later) => {
        for (const index of script.versions.keys()) {
          const foreseen = foresee(policy, script, index, NOW);
          const then = foreseen.findLast(({ from }) => from <= NOW + later) ?? foreseen[0];
          const decided = decide(policy, script, NOW + later).verdicts[index];
          // What is deleted has no time to come.
          if (then && then === foreseen.at(-1) && fateOf(then) === "delete") continue;
          expect(then && [then.rule?.name, fateOf(then)]).toEqual(
            decided && [decided.rule?.name, fateOf(decided)],
          );
          const due = foreseen.slice(1).map(({ from }) => from);
          expect(due).toEqual(due.toSorted((a, b) => a - b));
          expect(due.every((from) => from > NOW)).toBe(true);
        }
      },
    ),
    { numRuns: 5_000 },
  );
});
