import type { Finding } from "@sluice/contracts";
import type { ParsedModule } from "../structure/types.js";
import { undescribedTools } from "../tools/index.js";
import { finding, quoted } from "./finding.js";

/** Tools that a model would have to choose by their names alone. */
export function toolFindings(parsed: ParsedModule): Finding[] {
  return undescribedTools(parsed).map(({ name, node }) =>
    finding(
      "tool.undescribed",
      `nothing tells what the tool \`${quoted(name)}\` is for, so it is not discoverable`,
      { start: parsed.position(node.startIndex) },
    ),
  );
}
