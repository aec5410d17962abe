import {
  factsKey,
  type JudgedVersion,
  type Judgement,
  type Queryable,
  readFacts,
  type StoredFacts,
} from "@sluice/catalog";
import type { Finding } from "@sluice/contracts";
import {
  canJudge,
  judge,
  type Policy,
  type PolicyDocument,
  policyFor,
  policyVersion,
  type ScriptFacts,
  withFinding,
} from "@sluice/python-analysis";

/** What a policy says of stored versions. */
export interface StoredJudgements {
  readonly judgements: readonly Judgement[];
  /** By the id of the version, what it was judged by. */
  readonly facts: ReadonlyMap<string, ScriptFacts>;
  /** Of these nothing is known that this analyser can judge. */
  readonly unknown: readonly JudgedVersion[];
}

/** Facts that are held in memory at a time. */
const AT_ONCE = 25;

/** Judges stored versions by a policy, without their source; each of the same bytes and policy once. */
export async function judgeStored(
  db: Queryable,
  versions: readonly JudgedVersion[],
  document: PolicyDocument,
): Promise<StoredJudgements> {
  const judgements: Judgement[] = [];
  const facts = new Map<string, ScriptFacts>();
  const unknown: JudgedVersion[] = [];
  const toJudge: { readonly version: JudgedVersion; readonly policy: Policy }[] = [];
  for (const version of versions) {
    const policy = policyFor(document, version.namespace);
    const target = policyVersion(policy);
    if (version.deleted || version.policyVersion === target)
      judgements.push({ version, policyVersion: version.policyVersion, report: undefined });
    else if (canJudge(version.analyserVersion)) toJudge.push({ version, policy });
    else unknown.push(version);
  }
  for (let start = 0; start < toJudge.length; start += AT_ONCE) {
    const some = toJudge.slice(start, start + AT_ONCE);
    const stored = await readFacts(
      db,
      some.map(({ version }) => version),
    );
    const reports = new Map<string, NonNullable<Judgement["report"]>>();
    for (const { version, policy } of some) {
      const found = stored.get(factsKey(version));
      if (found === undefined) {
        unknown.push(version);
        continue;
      }
      const known = complete(found);
      const target = policyVersion(policy);
      const key = `${factsKey(version)} ${target}`;
      const report = reports.get(key) ?? judge(known, policy);
      reports.set(key, report);
      facts.set(version.versionId, known);
      judgements.push({ version, policyVersion: target, report });
    }
    // Others of this process have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { judgements, facts, unknown };
}

function complete({ facts, refusal }: StoredFacts): ScriptFacts {
  const known = facts as ScriptFacts;
  return refusal === undefined ? known : withFinding(known, refusal as Finding);
}
