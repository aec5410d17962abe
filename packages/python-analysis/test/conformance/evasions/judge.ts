import { resolveUses } from "../../../src/capabilities/uses.js";
import { parseModule } from "../../../src/structure/parse.js";
import type { Outcome } from "./audit.js";
import type { Script } from "./generate.js";

/** What the analyser said of a script, held to what that did. */
export interface Verdict {
  readonly script: Script;
  readonly outcome: Outcome;
  /**
   * `unconfirmed`: Python did not do what the script was made for, which says nothing. `named`: the analyser names the capability.
   * `unresolved`: it says that it cannot tell. `silent`: it does not even say that. For controls `harmless` or `accused`.
   */
  readonly kind: "unconfirmed" | "named" | "unresolved" | "silent" | "harmless" | "accused";
  /** Everything that the analyser said, as `capability reference`. */
  readonly said: readonly string[];
}

/** What shapes of controls themselves do. */
const OF_SHAPES = new Set(["concurrency"]);

/** Analyses a script and compares. */
export async function judge(script: Script, outcome: Outcome): Promise<Verdict> {
  const { uses } = resolveUses(await parseModule(script.source));
  const capabilities = new Set(uses.map(({ capability }) => capability));
  const said = [...new Set(uses.map(({ capability, reference }) => `${capability} ${reference}`))];
  const expected = script.sink.capability;
  const kind = ((): Verdict["kind"] => {
    if (expected === null) {
      if (outcome.error !== "" || outcome.events.length > 0) return "unconfirmed";
      return [...capabilities].some((each) => !OF_SHAPES.has(each)) ? "accused" : "harmless";
    }
    if (!outcome.events.includes(expected)) return "unconfirmed";
    if (capabilities.has(expected)) return "named";
    return capabilities.has("unresolved") ? "unresolved" : "silent";
  })();
  return { script, outcome, kind, said };
}
