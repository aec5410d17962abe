import type { Catalog } from "@sluice/catalog";
import { PolicyInForce } from "@sluice/policies";
import {
  ANALYSER_VERSION,
  collectFacts,
  decodeSource,
  judge,
  parseModule,
  policyFor,
  policyVersion,
  type ScriptFacts,
} from "@sluice/python-analysis";
import {
  BACKUP_RESULT,
  DEDUP_RESULT,
  done,
  EXTRACT_RESULT,
  register,
  upload,
  work,
} from "./fixture.js";

/** Facts of a script as CPython would let them be, which refuses all that has `def (` in it. */
export async function factsOf(text: string): Promise<ScriptFacts> {
  const source = Buffer.from(text);
  const decoded = decodeSource(source);
  const valid = decoded.ok && !text.includes("def (");
  const parsed = valid && decoded.ok ? await parseModule(decoded.text) : undefined;
  return collectFacts({ source, decoded, verdict: { valid, error: null, killed: null }, parsed });
}

let counter = 0;
/** A script that validate has judged. */
export interface Judged {
  readonly versionId: string;
  readonly scriptId: string;
  readonly finish: () => Promise<void>;
}

/** Takes a script to where validate has judged it, by the policy in force. */
export async function begin(
  catalog: Catalog,
  text: string,
  namespace = "default",
): Promise<Judged> {
  counter += 1;
  const { versionId, scriptId } = await register(
    catalog,
    upload(`s${counter}.py`, text, { namespace }),
  );
  const { id, document } = await new PolicyInForce(catalog).current();
  const policy = policyFor(document, namespace);
  const settled = await work(
    catalog,
    "dedup",
    [versionId],
    done<"dedup">({
      ...DEDUP_RESULT,
      analyserVersion: ANALYSER_VERSION,
      policyVersion: policyVersion(policy),
      policyId: id,
    }),
  );
  if (settled.next.length === 0) return { versionId, scriptId, finish: async () => {} };
  const facts = await factsOf(text);
  const report = judge(facts, policy);
  const stop = report.verdict === "invalid";
  await work(catalog, "validate", [versionId], done<"validate">({ facts, report }, stop));
  return {
    versionId,
    scriptId,
    async finish() {
      if (stop) return;
      await work(catalog, "extract", [versionId], done<"extract">(EXTRACT_RESULT));
      await work(catalog, "compress", [versionId], done<"compress">({}));
      await work(catalog, "backup", [versionId], done<"backup">(BACKUP_RESULT));
    },
  };
}

/** Takes a script through all stages. */
export async function store(catalog: Catalog, text: string, namespace?: string): Promise<Judged> {
  const begun = await begin(catalog, text, namespace);
  await begun.finish();
  return begun;
}
