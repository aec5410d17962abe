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
  #skips: string[] = [];

  onInit(): void {
    // What the teardown prints comes before.
    process.once("exit", () => process.stdout.write(this.#text()));
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
    this.#skips = tests
      .filter((test) => !["passed", "failed"].includes(test.result().state))
      .map((test) => `Skipped: ${placeOf(test)}: ${reasonOf(test, reason)}`);
  }

  #text(): string {
    const counts = `${this.#passed} passed, ${this.#failed} failed, ${this.#skips.length} skipped`;
    return ["", ...this.#skips, `Tests: ${counts}`, ""].join("\n");
  }
}

function placeOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function reasonOf(test: TestCase, reason: TestRunEndReason): string {
  const result = test.result();
  if (result.state === "pending") return "the run was interrupted";
  const note = result.state === "skipped" ? result.note : undefined;
  if (note !== undefined) return note;
  if (reason === "interrupted") return "the run was interrupted";
  if (test.options.mode === "skip" || test.options.mode === "todo") return "switched off in the code";
  return "left out by a filter, or what it builds on failed";
}
