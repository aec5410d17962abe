import { describe, expect, it } from "vitest";
import { createLog } from "../src/log.js";

function lines(
  write: (log: ReturnType<typeof createLog>) => void,
  logLevel = "info" as const,
): string[] {
  const written: string[] = [];
  write(createLog("validate", { logLevel }, { write: (line) => void written.push(line) }));
  return written;
}

describe("log", () => {
  it("writes JSON lines with level, ISO time and service", () => {
    const [line] = lines((log) => log.info({ version_id: "v" }, "done"));
    expect(line?.endsWith("\n")).toBe(true);
    const entry = JSON.parse(line ?? "") as Record<string, unknown>;
    expect(entry).toMatchObject({
      level: "info",
      service: "validate",
      version_id: "v",
      msg: "done",
      pid: process.pid,
    });
    expect(new Date(entry["time"] as string).toISOString()).toBe(entry["time"]);
  });

  it("leaves out what is below its level", () => {
    expect(lines((log) => log.debug("x"))).toEqual([]);
  });

  it("writes no secret", () => {
    const written = lines((log) => {
      log.info(
        { password: "hunter2", headers: { authorization: "hunter2", "x-api-key": "hunter2" } },
        "request",
      );
      log.info({ "x-api-key": "hunter2", req: { headers: { cookie: "hunter2" } } }, "request");
      log.error({ err: new Error("cannot reach postgres://sluice:hunter2@db:5432/x") }, "failed");
      log.error("redis://:hunter2@host and s3://k:hunter2@host/bucket");
    }).join("");
    expect(written).not.toContain("hunter2");
    expect(written).toContain("postgres://sluice:***@db:5432/x");
    expect(
      written
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toHaveLength(4);
  });
});
