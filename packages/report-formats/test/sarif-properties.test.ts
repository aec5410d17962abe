import { createHash } from "node:crypto";
import fc from "fast-check";
import { test, vi } from "vitest";
import { report, source, text } from "./arbitraries.js";
import { SarifRun } from "../src/index.js";
import { sarifProblems } from "./validate-sarif.js";

// Many sources, on machines that do much else.
vi.setConfig({ testTimeout: 60_000 });

test("any reports of any files are valid SARIF", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: text, report, source }), { maxLength: 3 }),
      fc.array(fc.record({ name: text, message: text, isFault: fc.boolean() }), { maxLength: 2 }),
      (files, unreported) => {
        const run = new SarifRun({ analyserVersion: "3+cpython3.11.7" });
        const results = files.flatMap((file) => {
          const sha256 = createHash("sha256")
            .update(file.source ?? "")
            .digest("hex");
          return run.add({ ...file, sha256 });
        });
        for (const each of unreported) run.addUnreported(each);
        const problems = sarifProblems({
          version: "2.1.0",
          runs: [{ ...run.end(), results }],
        });
        if (problems.length > 0) throw new Error(problems.join("\n"));
      },
    ),
    { numRuns: 300 },
  );
});
