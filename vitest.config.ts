import { defineConfig } from "vitest/config";

// For machines that are busy with something else, too: no test is about how long a thing takes.
const PATIENT = {
  testTimeout: 60_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 30_000 } },
};

export default defineConfig({
  test: {
    reporters: ["default", "./test/summary-reporter.ts"],
    // Servers and parsers run beside the tests.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.ts", "services/*/test/**/*.test.ts"],
          ...PATIENT,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/**/*.test.ts"],
          globalSetup: "./test/global-setup.ts",
          ...PATIENT,
        },
      },
    ],
  },
});
