/** What a policy may ask of functions and classes: docstrings and signatures. */
import { quoted } from "../findings/finding.js";
import {
  collectDefinitions,
  type Definition,
  docstringOf,
  parametersOf,
} from "../structure/definitions.js";
import type { ParsedModule } from "../structure/types.js";
import {
  type DocstringFacts,
  FACT_LIMITS,
  type SignatureFacts,
  type SignaturesFacts,
  type Undocumented,
} from "./script-facts.js";

/** The functions and classes that have no docstring. */
export function docstringFacts(parsed: ParsedModule): DocstringFacts {
  const { functions, classes } = collectDefinitions(parsed);
  const missing = [...functions, ...classes]
    .filter(({ node }) => docstringOf(node) === null)
    .toSorted((a, b) => a.node.startIndex - b.node.startIndex)
    .map((definition) => ({ definition, public: isPublic(definition) }));
  const publics = missing.filter((each) => each.public);
  const others = missing.filter((each) => !each.public);
  const each = FACT_LIMITS.undocumented / 2;
  const kept = new Set([...publics.slice(0, each), ...others.slice(0, each)]);
  return {
    missing: missing
      .filter((one) => kept.has(one))
      .map(({ definition: { node, qualifiedName }, ...rest }): Undocumented => {
        const { line, column } = parsed.position(node.startIndex);
        const kind = node.type === "class_definition" ? "class" : "function";
        return [kind, quoted(qualifiedName), line, column, rest.public ? "public" : "private"];
      }),
    public_omitted: Math.max(0, publics.length - each),
    others_omitted: Math.max(0, others.length - each),
  };
}

/** Whether others are meant to use it: neither it nor what it is in begins with an underscore or is a function. */
function isPublic({ name, scope }: Definition): boolean {
  for (let outer: Definition["scope"] | null = scope; outer; outer = outer.parent) {
    if (
      outer.kind === "function" ||
      outer.qualifiedName.split(".").some((part) => part.startsWith("_"))
    )
      return false;
  }
  return !name.startsWith("_");
}

const STARS: Readonly<Record<string, string>> = { var_positional: "*", var_keyword: "**" };

/** How the functions are called that a policy may ask for. */
export function signatureFacts(parsed: ParsedModule): SignaturesFacts {
  const standing = new Map<string, Definition>();
  for (const definition of collectDefinitions(parsed).functions) {
    const { qualifiedName } = definition;
    if (qualifiedName.includes("<locals>")) continue;
    // In order of the definition that stands, which is the last one.
    standing.delete(qualifiedName);
    standing.set(qualifiedName, definition);
  }
  const functions: SignatureFacts[] = [];
  let text = 0;
  for (const definition of standing.values()) {
    const signature = signatureOf(parsed, definition);
    const length = JSON.stringify(signature).length;
    if (text + length > FACT_LIMITS.signatureText || functions.length >= FACT_LIMITS.signatures)
      continue;
    text += length;
    functions.push(signature);
  }
  return { functions, omitted: standing.size - functions.length };
}

function signatureOf(parsed: ParsedModule, { node, qualifiedName }: Definition): SignatureFacts {
  const { line, column } = parsed.position(node.startIndex);
  const parameters = parametersOf(parsed, node).map(
    ({ kind, name, annotation }) =>
      `${STARS[kind] ?? ""}${name}${annotation === null ? "" : `: ${annotation}`}`,
  );
  return [
    qualifiedName,
    line,
    column,
    node.children[0]?.type === "async" ? "async def" : "def",
    parameters,
    node.childForFieldName("return_type")?.text ?? null,
  ];
}
