import { type ScriptFacts, withFinding } from "../facts/script-facts.js";
import { finding, quoted } from "./finding.js";

/**
 * Facts of a script in which a virus scanner has found something: the verdict is `malicious`, whatever else is said.
 *
 * @param signature - what the scanner calls it, such as `Win.Test.EICAR_HDB-1`
 */
export function infected(facts: ScriptFacts, signature: string): ScriptFacts {
  const message = `ClamAV knows this as ${quoted(signature)}`;
  return { ...withFinding(facts, finding("malware.signature", message, null)), malicious: true };
}
