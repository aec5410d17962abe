import type { AnalysisReport, Finding } from "@sluice/contracts";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { decodeSource } from "../../src/decode.js";
import { DEFAULT_POLICY } from "../../src/policy/default.js";
import { buildReport } from "../../src/report.js";
import { parseModule } from "../../src/structure/parse.js";

// Many sources, on machines that do much else.
vi.setConfig({ testTimeout: 60_000 });

async function report(source: string): Promise<AnalysisReport> {
  const bytes = Buffer.from(source);
  const decoded = decodeSource(bytes);
  if (!decoded.ok) throw new Error(decoded.error.message);
  return buildReport({
    source: bytes,
    decoded,
    verdict: { valid: true, error: null, killed: null },
    parsed: await parseModule(decoded.text),
    policy: DEFAULT_POLICY,
  });
}

const isSuppression = ({ rule }: Finding) => rule.startsWith("suppression.");
async function suppressions(source: string): Promise<Finding[]> {
  return (await report(source)).findings.filter(isSuppression);
}
const brief = ({ line, column, severity, rule, message }: Finding) =>
  `${line}:${column} ${severity} ${rule.replace("suppression.", "")} ${message}`;

const SECURITY = [
  "# nosec",
  "#nosec",
  "# nosec B602, B607",
  "# nosec: B602",
  "# NOSEC",
  "# nosemgrep",
  "# nosemgrep: python.lang.security.audit.eval",
  "# nosem",
  "# NOSONAR",
  "# it is fine NOSONAR",
  "# lgtm",
  "# lgtm [py/code-injection]",
  "# codeql[py/code-injection]",
  "# noqa: S307",
  "# noqa:S602,E501",
  "# noqa: E501, S307",
  "# ruff: noqa: S",
  "# ruff: noqa: S603",
  "# noqa: DUO104",
  "# noqa: sluice",
  "# sluice: ignore",
  "# sluice[code.eval]",
  "# bandit: skip",
  "# guarddog: ignore",
  "# guarddog ignore",
  "# semgrep: ignore",
  "# snyk: ignore",
  "# snyk ignore: python/Eval",
  "# deepcode ignore CodeInjection: trusted",
  "# file deepcode ignore CodeInjection: trusted",
  "# checkmarx: ignore",
  "# CxIgnore",
  "# yara: ignore",
  "# YARA-X: false positive",
  "# clamav: whitelist",
  "# malware: false-positive",
  "# skipcq: PYL-W0123",
  "# checkov:skip=CKV_1: no",
  "# pragma: allowlist secret",
  "# pragma: allowlist nextline secret",
  "# gitleaks:allow",
  "# trufflehog:ignore",
  "# ggignore",
  "# pylint: disable=eval-used",
  "# pylint: disable=line-too-long, W0123",
  "# why: nobody knows  # nosec",
];

const LINTERS = [
  "# noqa: E501",
  "# noqa:F401,E402",
  "# type: ignore",
  "# type: ignore[import-untyped]",
  "# pyright: ignore[reportPrivateUsage]",
  "# mypy: ignore-errors",
  "# mypy: disable-error-code=attr-defined",
  "# pylint: disable=line-too-long",
  "# pylint: disable-next=invalid-name",
  "# pyre-ignore[16]",
  "# pyre-fixme[16]: later",
  "# pytype: disable=attribute-error",
  "# ty: ignore[unresolved]",
  "# pyrefly: ignore",
  "# noinspection PyUnresolvedReferences",
];

/** Those that speak to all checks: of no weight where there is nothing to hide. */
const ALL = [
  "# noqa",
  "# NoQA",
  "#noqa : ",
  "# flake8: noqa",
  "# ruff: noqa",
  "# pylint: skip-file",
  "# pylint: disable=all",
];

const NONE = [
  "# we noqa here without meaning it",
  "# the nosecurity act",
  "# it ignores what it is told",
  "# pragma: no cover",
  "# pragma: no mutate",
  "# fmt: off",
  "# isort: skip",
  "# yapf: disable",
  "# type: int",
  "# type: list[int]  (ignored)",
  "# a safe place to skip",
  "# see bandit for what it does",
  "# sluice gates are for water",
];

describe("a comment for security tools", () => {
  test.each(SECURITY)("%j is reported, and with a warning where something is", async (comment) => {
    const [harmless, ...others] = await suppressions(`x = 1  ${comment}\n`);
    expect(harmless).toMatchObject({ rule: "suppression.security", severity: "info", column: 8 });
    expect(others).toEqual([]);
    const [by] = await suppressions(`eval(x)  ${comment}\n`);
    expect(by).toMatchObject({ rule: "suppression.security", severity: "warning", cwe: 546 });
    expect(by?.message).toContain("at code.eval, code.execute");
  });
});

describe("a comment for linters", () => {
  test.each(LINTERS)("%j is one finding of all, wherever it is", async (comment) => {
    const found = await suppressions(`x = 1  ${comment}\neval(x)  ${comment}\n`);
    expect(found).toMatchObject([{ rule: "suppression.linter", severity: "info", line: 1 }]);
  });

  test.each(ALL)("%j is no more, but by something dangerous", async (comment) => {
    expect(await suppressions(`import os  ${comment}\n`)).toMatchObject([
      { rule: "suppression.linter", severity: "info", line: 1 },
    ]);
    expect(await suppressions(`eval(x)  ${comment}\n`)).toMatchObject([
      { rule: "suppression.security", severity: "info", line: 1 },
    ]);
  });

  test.each(NONE)("is not %j", async (comment) => {
    expect(await suppressions(`eval(x)  ${comment}\n`)).toEqual([]);
  });

  test("is summed up", async () => {
    const source =
      "import a  # noqa: F401\nimport b  # type: ignore  # noqa: F401\nc = 1  # type: ignore\nd = 1  # noqa: E1\n";
    expect((await suppressions(source)).map(brief)).toEqual([
      "1:11 info linter 4 comments ask linters or type checkers to look away: 3 `noqa`, 2 `type: ignore`; this is the first",
    ]);
  });
});

test("what stands by a comment is on its line, in the call that it is in, or on the line below it", async () => {
  const source = `
import subprocess
subprocess.run(
    cmd,
    shell=True,  # nosec
)
# nosemgrep
open("x", "w")
# nosemgrep

open("y", "w")
z = 1  # nosec
open("z", "w")
`;
  expect((await suppressions(source)).map(brief)).toEqual([
    "5:18 warning security `# nosec` asks Bandit to look away at process.shell, process.spawn",
    "7:1 warning security `# nosemgrep` asks Semgrep to look away at filesystem.write",
    "9:1 info security `# nosemgrep` asks Semgrep to look away",
    "12:8 info security `# nosec` asks Bandit to look away",
  ]);
});

test("what stands by a comment may be in a string that is run", async () => {
  const source = `x = 1  # nosec\n\n\nexec("\\nopen('a', 'w')")  # nosec\n`;
  expect((await suppressions(source)).map(brief)).toEqual([
    "1:8 info security `# nosec` asks Bandit to look away",
    expect.stringMatching(
      /^4:\d+ warning security .* at code.eval, code.execute, filesystem.write$/,
    ),
  ]);
});

test("text in strings is no comment", async () => {
  expect(
    await suppressions(`x = "# nosec"\ny = '''\n# nosec\n# noqa\n'''\nf"{x} # nosec"\n`),
  ).toEqual([]);
});

test("several in one comment are one finding, and what it quotes is safe to show", async () => {
  const found = await suppressions(
    `x = 1  # nosec # nosemgrep # noqa \u202e\x1b[31m${"x".repeat(500)}\n`,
  );
  expect(found).toHaveLength(1);
  expect(found[0]?.message).toMatch(/asks Bandit, Semgrep, linters to look away at text/);
  expect(found[0]?.message).toContain("\\u{202e}\\u{1b}");
  expect(found[0]?.message.length).toBeLessThan(200);
});

describe("no comment is obeyed", () => {
  const SOURCES = [
    "import os\nos.system(cmd)\neval(x)\n",
    "import pickle, requests\n\ndef load(url: str):\n    return pickle.loads(requests.get(url, verify=False).content)\n",
    "from subprocess import run as r\nfor c in cs:\n    r(c, shell=True)\n__import__(name).run()\n",
    "import torch\nx = '\u200b'\nopen(p, 'w').write(x)\n",
  ];

  /** Everything that a report says, but of suppressions. */
  const rest = ({ findings, ...other }: AnalysisReport) => ({
    ...other,
    findings: findings.filter((each) => !isSuppression(each)),
  });

  test.each(SOURCES)("in %j", async (source) => {
    const plain = rest(await report(source));
    expect(plain.findings.length + plain.capabilities.length).toBeGreaterThan(0);
    for (const comment of [...SECURITY, ...LINTERS, ...ALL]) {
      const commented = source.replaceAll(/(?<=.)\n/g, `  ${comment}\n`);
      const full = await report(commented);
      expect(rest(full)).toEqual(plain);
      expect(full.findings.some(isSuppression), comment).toBe(true);
    }
  });

  test("however they are put together and wherever they are", async () => {
    const comment = fc
      .array(fc.constantFrom(...SECURITY, ...LINTERS, ...ALL, ...NONE), {
        minLength: 1,
        maxLength: 3,
      })
      .map((parts) => parts.join(" "));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SOURCES),
        fc.array(fc.option(comment), { minLength: 8, maxLength: 8 }),
        async (source, comments) => {
          const lines = source.split("\n");
          const commented = lines.map((line, i) =>
            comments[i] && line !== "" ? `${line}  ${comments[i]}` : line,
          );
          expect(rest(await report(commented.join("\n")))).toEqual(rest(await report(source)));
        },
      ),
      { numRuns: 100 },
    );
  });
});

test("hostile comments take no long time, and no more than their share of the report", async () => {
  const spaces = " ".repeat(200_000);
  const sources = [
    `# bandit${spaces}\n`,
    `# noqa:${spaces}x\n`,
    `# pragma:${spaces}\n`,
    `# deepcode${spaces}ignor\n`,
    `#${"# ".repeat(200_000)}ignore\n`,
    `${"# noqa: ".repeat(50_000)}ignore\n`,
    `${"# pylint: disable=".repeat(20_000)}\n`,
  ];
  for (const source of sources) await report(source);
  const { findings } = await report(
    `${"eval(x) # nosec\n".repeat(20_000)}import pickle\npickle.loads(x)\n`,
  );
  const count = (rule: string) => findings.filter((each) => each.rule === rule).length;
  expect(count("suppression.security")).toBe(100);
  expect(count("data.unsafe-load")).toBe(1);
});
