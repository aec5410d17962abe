/** What all policies have in common: they are written in YAML or JSON, have a name and a version, and are refused with every mistake. */
export { type Place, readContent, type WrittenContent } from "./content.js";
export { documentName, documentVersion } from "./members.js";
export { PARSING, pathText, PolicyError, type PolicyProblem, problemsOf } from "./problems.js";
export { versionOf } from "./version.js";
