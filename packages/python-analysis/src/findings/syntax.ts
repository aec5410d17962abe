import type { AnalysisReport, Finding } from "@sluice/contracts";
import type { DecodedSource } from "../decode.js";
import type { CompileVerdict, KillReason } from "../verdict/types.js";
import { finding, quoted } from "./finding.js";

const KILLED = {
  timeout: "it took longer than a script may",
  memory: "it took more memory than a script may",
  trap: "the parser's stack overflowed",
} as const;

export interface SyntaxOutcome {
  readonly syntax: AnalysisReport["syntax"];
  readonly findings: readonly Finding[];
}

/** What decoding and CPython's verdict have to say. */
export function syntaxOutcome(decoded: DecodedSource, verdict: CompileVerdict): SyntaxOutcome {
  // Where CPython refuses the bytes too, its own words come first. One before 3.14 does not for bytes in comments that are no UTF-8.
  if (!decoded.ok && verdict.error === null && (decoded.error.rule !== null || verdict.valid)) {
    const { type, message, line, column } = decoded.error;
    const place = line === null ? null : { start: { line, column: column ?? 1 } };
    return {
      syntax: { valid: false, error: { type, message, line, column } },
      findings: [finding("source.encoding", message, place)],
    };
  }
  if (verdict.killed !== null) {
    const message = verdict.error?.message ?? KILLED[verdict.killed];
    const error = verdict.valid
      ? null
      : (verdict.error ?? { type: "MemoryError", message, line: null, column: null });
    return {
      syntax: { valid: verdict.valid, error },
      findings: [parserKilledFinding(message)],
    };
  }
  const error = verdict.error ?? (decoded.ok ? null : decoded.error);
  if (verdict.valid && decoded.ok)
    return { syntax: { valid: true, error: null }, findings: encodingFindings(decoded) };
  const { type, message, line, column } = error ?? {
    type: "SyntaxError",
    message: "invalid syntax",
    line: null,
    column: null,
  };
  const place = line === null ? null : { start: { line, column: column ?? 1 } };
  return {
    syntax: { valid: false, error: { type, message, line, column } },
    findings: [finding("syntax.error", `${type}: ${quoted(message, 300)}`, place)],
  };
}

/** What there is to say of a script that killed its parser twice. */
export function describeKill(reason: KillReason): Finding {
  return parserKilledFinding(KILLED[reason]);
}

/** What there is to say of a script whose scan for malware had to be stopped, twice. */
export function unscanned(reason: KillReason): Finding {
  return finding(
    "malware.unscanned",
    `the script could not be scanned for malware: ${KILLED[reason]}`,
    null,
  );
}

function parserKilledFinding(message: string): Finding {
  return finding("syntax.parser-killed", `the script could not be parsed: ${message}`, null);
}

function encodingFindings(decoded: DecodedSource & { ok: true }): Finding[] {
  if (decoded.encoding === "utf-8") return [];
  const message = `the script declares the encoding ${decoded.encoding}`;
  return [finding("source.encoding-declared", message, { start: { line: 1, column: 1 } })];
}
