export { type DecodedSource, type DecodedText, type DecodeError, decodeSource } from "./decode.js";
export { collectFacts, type FactsInput } from "./facts/collect.js";
export { type ScriptFacts, withFinding } from "./facts/script-facts.js";
export { infected } from "./findings/signature.js";
export { findRules, RulesError, withRules } from "./malware/rule-files.js";
export { extractMetadata } from "./metadata.js";
export { DEFAULT_POLICY, DEFAULT_POLICY_DOCUMENT } from "./policy/default.js";
export { judge } from "./policy/judge.js";
export {
  parsePolicyDocument,
  policiesOf,
  type PolicyDocument,
  policyFor,
} from "./policy/document.js";
export { type LoadedPolicy, loadPolicy } from "./policy/load.js";
export { parsePolicy, type Policy, policyVersion } from "./policy/schema.js";
export {
  type Analysers,
  type Analysis,
  type AnalysersOptions,
  createAnalysers,
  ParserKilled,
} from "./pool/analysers.js";
export type { PoolLog } from "./pool/thread-pool.js";
export { buildReport, type ReportInput } from "./report.js";
export { parseModule } from "./structure/parse.js";
export type { ParsedModule, Position, SyntaxNode } from "./structure/types.js";
export { describeTools } from "./tools/index.js";
export {
  BUILT_IN_PYTHON,
  findPython,
  type FindPythonOptions,
  type Python,
  PythonError,
} from "./verdict/python.js";
export type { CompileError, CompileVerdict, KillReason } from "./verdict/types.js";
export { ANALYSER_VERSION, canJudge, PYTHON_VERSION } from "./version.js";
