import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule, TestRunEndReason } from "vitest/node";

/**
 * Ends the run's output with every skip and its reason, and with one line that a program can read:
 * `Tests: N passed, N failed, N skipped`. A file that does not load, a hook that fails and an error that
 * nobody caught count as failed tests.
 */
export default class SummaryReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #skips: string[] = [];

  onInit(): void {
    // What the teardown prints comes before.
    process.once("exit", (code) => {
      // The run did not come to its tests.
      if (code !== 0 && this.#failed === 0) this.#failed = 1;
      process.stdout.write(this.#text());
    });
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const states = tests.map((test) => test.result().state);
    const brokenSuites = modules.flatMap((module) => [
      ...(module.errors().length > 0 ? [module] : []),
      ...[...module.children.allSuites()].filter((suite) => suite.errors().length > 0),
    ]);
    this.#passed = states.filter((state) => state === "passed").length;
    this.#failed =
      states.filter((state) => state === "failed").length +
      brokenSuites.length +
      unhandledErrors.length;
    const skipped = tests.filter((test) => !["passed", "failed"].includes(test.result().state));
    this.#skipped = skipped.length;
    this.#skips = linesOf(skipped, reason);
  }

  #text(): string {
    const counts = `${this.#passed} passed, ${this.#failed} failed, ${this.#skipped} skipped`;
    return ["", ...this.#skips, `Tests: ${counts}`, ""].join("\n");
  }
}

/** One line for all tests of a file that are skipped for the same reason. */
function linesOf(tests: readonly TestCase[], runReason: TestRunEndReason): string[] {
  const groups = new Map<string, { file: string; reason: string; names: string[] }>();
  for (const test of tests) {
    const [file, reason] = [test.module.relativeModuleId, reasonOf(test, runReason)];
    const key = `${file}\n${reason}`;
    const group = groups.get(key) ?? { file, reason, names: [] };
    groups.set(key, group);
    group.names.push(test.fullName);
  }
  return [...groups.values()].map(({ file, reason, names }) => {
    const what = names.length === 1 ? names[0] : `${names.length} tests`;
    return `Skipped: ${file}: ${what}: ${reason}`;
  });
}

function reasonOf(test: TestCase, reason: TestRunEndReason): string {
  const result = test.result();
  if (result.state === "pending") return "the run was interrupted";
  const note = result.state === "skipped" ? result.note : undefined;
  if (note !== undefined) return note;
  if (reason === "interrupted") return "the run was interrupted";
  return "left out by a filter, switched off in the code, or what it builds on failed";
}
