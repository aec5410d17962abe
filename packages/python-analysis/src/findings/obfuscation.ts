import type { Finding } from "@sluice/contracts";
import type { Resolution } from "../capabilities/uses.js";
import type { ParsedModule } from "../structure/types.js";
import { finding, placeOf, quoted } from "./finding.js";

/** More findings than this say nothing new. */
const MOST = 100;

/** Code and names that take effect and are written so that readers do not see them. */
export function obfuscationFindings(
  parsed: ParsedModule,
  { hidden, shownAt }: Resolution,
): Finding[] {
  return hidden.slice(0, MOST).map(({ node, what }) => {
    const message = `${quoted(what)}: it is encoded, escaped, backwards or counted out`;
    return finding("code.obfuscated", message, placeOf(parsed, shownAt(node)));
  });
}
