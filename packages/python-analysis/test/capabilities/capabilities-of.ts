import { resolveUses } from "../../src/capabilities/uses.js";
import { parseModule } from "../../src/structure/parse.js";

/** What a script can do, by its references. */
export async function capabilitiesOf(source: string): Promise<Set<string>> {
  const { uses } = resolveUses(await parseModule(source));
  return new Set(uses.map(({ capability }) => capability));
}
