/** What a comment asks a tool for. */
export interface Directive {
  /** As it is written, such as `type: ignore`. */
  readonly name: string;
  readonly tool: string;
  /** Whether it is for checks of security, for all checks of a tool, or for some others. */
  readonly aim: "security" | "all" | "some";
}

/** Directives that one word or phrase tells; `#` must stand before most of them, as the tools want it. */
const PHRASES: readonly (readonly [
  pattern: RegExp,
  name: string,
  tool: string,
  aim: Directive["aim"],
])[] = [
  [/#\s*nosec\b/i, "nosec", "Bandit", "security"],
  [/#\s*nosem(?:grep)?\b/i, "nosemgrep", "Semgrep", "security"],
  [/\bnosonar\b/i, "NOSONAR", "SonarQube", "security"],
  [/#\s*lgtm\b/i, "lgtm", "LGTM", "security"],
  [/#\s*codeql\s*\[/i, "codeql", "CodeQL", "security"],
  [/#\s*skipcq\b/i, "skipcq", "DeepSource", "security"],
  [/\bdeepcode\s+ignore\b/i, "deepcode ignore", "Snyk", "security"],
  [/\bcheckov:skip=/i, "checkov:skip", "Checkov", "security"],
  [
    /\bpragma:\s*(?:allow|white)list\b[\w\s-]{0,20}\bsecret\b/i,
    "pragma: allowlist secret",
    "detect-secrets",
    "security",
  ],
  [/\bgitleaks:allow\b/i, "gitleaks:allow", "Gitleaks", "security"],
  [/\btrufflehog:ignore\b/i, "trufflehog:ignore", "TruffleHog", "security"],
  [/\bggignore\b/i, "ggignore", "GitGuardian", "security"],
  [/\bcxignore\b|\bcx-(?:ignore|disable)\b/i, "cx-ignore", "Checkmarx", "security"],
  [/#\s*sluice\s*[:=[(-]|#\s*noqa\s*:[^#]*\bsluice\b/i, "sluice", "Sluice", "security"],
  [/#\s*type:\s*ignore\b/i, "type: ignore", "type checkers", "some"],
  [/#\s*pyright:\s*ignore\b/i, "pyright: ignore", "Pyright", "some"],
  [/#\s*mypy:\s*(?:ignore|disable|allow)/i, "mypy: ignore", "mypy", "some"],
  [/#\s*pyre-(?:ignore|fixme)\b/i, "pyre-ignore", "Pyre", "some"],
  [/#\s*pytype:\s*(?:disable|skip)/i, "pytype: disable", "pytype", "some"],
  [/#\s*(?:ty|pyrefly):\s*ignore\b/i, "ty: ignore", "type checkers", "some"],
  [/#\s*noinspection\b/i, "noinspection", "PyCharm", "some"],
  [/#\s*nolint\b/i, "nolint", "linters", "some"],
];

/** Scanners by name, and what they may be asked for. */
const SCANNER =
  /#\s*(antivirus|bandit|checkmarx|clamav|coverity|dlint|fortify|guarddog|horusec|malware|pysa|semgrep|snyk|sonar(?:qube)?|trivy|veracode|virustotal|yara(?:-?x)?)[\s:=[(-]{1,10}(?:allow|disable|exclude|false[ -]?positive|ignore|noqa|off|safe|skip|suppress|trust|white-?list)/i;

const NOQA = /#\s*(?:(?:flake8|ruff)\s*:\s*)?noqa\b(?:\s*:\s*(\w[\w\s,.-]{0,500}))?/gi;
/** Rules of flake8-bandit and of dlint. */
const SECURITY_CODE = /\b(?:S\d{0,3}|DUO\d{1,3})\b/i;

const PYLINT = /#\s*pylint:\s*(skip-file|disable(?:-next)?\s*=\s*([\w\s,-]{0,500}))/i;
const PYLINT_SECURITY =
  /\b(?:eval-used|exec-used|subprocess-\w[\w-]*|shell-\w[\w-]*|W0122|W0123|W1509|W1510)\b/i;

/** Tells at once most comments, which ask for nothing. */
const ANY =
  /allow|deepcode|disable|exclude|false|fixme|ignore|lgtm|no(?:inspection|lint|qa|sec|sem|sonar)|codeql|off|safe|skip|sluice|suppress|trust|white/i;

/** The directives in a comment, each kind once. */
export function directivesOf(comment: string): Directive[] {
  if (!ANY.test(comment)) return [];
  const directives: Directive[] = PHRASES.filter(([pattern]) => pattern.test(comment)).map(
    ([, name, tool, aim]) => ({ name, tool, aim }),
  );
  const scanner = SCANNER.exec(comment)?.[1];
  if (scanner !== undefined) {
    const tool = scanner.toLowerCase();
    directives.push({ name: tool, tool: `\`${tool}\``, aim: "security" });
  }
  for (const [, codes] of comment.matchAll(NOQA)) directives.push(noqa(codes));
  const pylint = PYLINT.exec(comment);
  if (pylint) directives.push(pylintDirective(pylint[2]));
  return directives;
}

function noqa(codes: string | undefined): Directive {
  const aim = codes === undefined ? "all" : SECURITY_CODE.test(codes) ? "security" : "some";
  return { name: "noqa", tool: aim === "security" ? "flake8-bandit and Ruff" : "linters", aim };
}

function pylintDirective(checks: string | undefined): Directive {
  const isAll = checks === undefined || /\ball\b/.test(checks);
  const isSecurity = checks !== undefined && PYLINT_SECURITY.test(checks);
  return {
    name: "pylint: disable",
    tool: "Pylint",
    aim: isSecurity ? "security" : isAll ? "all" : "some",
  };
}
