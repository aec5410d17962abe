import { expect, test } from "vitest";
import { decodeSource } from "../../src/decode.js";
import { collectFacts } from "../../src/facts/collect.js";
import { infected } from "../../src/findings/signature.js";
import { judge } from "../../src/policy/judge.js";
import { parsePolicy } from "../../src/policy/schema.js";
import { parseModule } from "../../src/structure/parse.js";

test.each([
  ["x = 1\n", true],
  ["def (\n", false],
])("what a scanner knows in %j is malicious under any policy", async (text, valid) => {
  const source = Buffer.from(text);
  const verdict = { valid, error: null, killed: null };
  const parsed = valid ? await parseModule(text) : undefined;
  const facts = collectFacts({ source, decoded: decodeSource(source), verdict, parsed });
  for (const policy of ["", "capabilities: {default: refused}\nlimits: {max_bytes: 1}"]) {
    const report = judge(
      infected(facts, "Test.\u202eSignature"),
      parsePolicy(`name: a\nversion: 1\n${policy}`),
    );
    expect(report.verdict).toBe("malicious");
    expect(report.findings[0]?.rule).toBe("malware.signature");
    expect(report.findings[0]?.message).toBe("ClamAV knows this as Test.\\u{202e}Signature");
  }
});
