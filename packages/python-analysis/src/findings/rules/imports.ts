import { rule, type Rule } from "./rule.js";

/** What the script imports and what it says of that. */
export const IMPORT_RULES = {
  "imports.not-allowed": rule({
    severity: "warning",
    title: "Import that is not on the list",
    why: "An imported package runs with all rights of the script, and what it does cannot be told from here.",
    help: "Use a module that the policy allows. An import that needs approval can be granted by a reviewer; one that is refused, by another policy only.",
    cwe: 829,
  }),
  "imports.undeclared": rule({
    severity: "warning",
    confidence: "medium",
    title: "Import that the script does not declare",
    why: "The script fails wherever the package is not installed by chance; and which version would run is open.",
    help: "Add the package to `dependencies` in the script's PEP 723 block.",
  }),
  "imports.declaration": rule({
    severity: "warning",
    title: "Dependency block that cannot be read",
    why: "Tools that install the script's dependencies stop at the block or pass over it.",
    help: "Write it as PEP 723 says: `# /// script`, TOML in comment lines, `# ///`.",
  }),
  "python.version": rule({
    severity: "warning",
    title: "Python version that the script does not want",
    why: "What was found out holds for the Python that judged; on the one that the script asks for it may compile or behave otherwise.",
    help: "Widen `requires-python` if the script runs on the judging Python too, or have it judged by the Python that it wants.",
  }),
  "imports.unused": rule({
    severity: "info",
    confidence: "low",
    title: "Import of which nothing is used",
    why: "By itself the import does nothing. But what it could do is at hand for code that no analysis sees, and for whoever changes the script next.",
    help: "Remove the import if nothing needs it.",
  }),
} as const satisfies Record<string, Rule>;
