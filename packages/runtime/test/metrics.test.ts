import { describe, expect, it } from "vitest";
import { Histogram } from "prom-client";
import { createMetrics, mergeMetrics } from "../src/metrics.js";

async function exposition(service: string, value: number): Promise<string> {
  const { registry } = createMetrics(service);
  new Histogram({
    name: "took_seconds",
    help: "time",
    registers: [registry],
    buckets: [1],
  }).observe(value);
  return registry.metrics();
}

describe("merged metrics", () => {
  it("has each metric once, with the samples of every process", async () => {
    const merged = mergeMetrics([await exposition("a", 0.5), await exposition("b", 2)]);
    const lines = merged.split("\n");
    expect(lines.filter((line) => line === "# TYPE took_seconds histogram")).toHaveLength(1);
    const first = lines.indexOf("# TYPE took_seconds histogram") + 1;
    expect(lines.slice(first, first + 8)).toEqual([
      'took_seconds_bucket{le="1",service="a"} 1',
      'took_seconds_bucket{le="+Inf",service="a"} 1',
      'took_seconds_sum{service="a"} 0.5',
      'took_seconds_count{service="a"} 1',
      'took_seconds_bucket{le="1",service="b"} 0',
      'took_seconds_bucket{le="+Inf",service="b"} 1',
      'took_seconds_sum{service="b"} 2',
      'took_seconds_count{service="b"} 1',
    ]);
    const types = lines.filter((line) => line.startsWith("# TYPE "));
    expect(new Set(types).size).toBe(types.length);
  });

  it("is nothing for nothing", () => {
    expect(mergeMetrics([])).toBe("");
    expect(mergeMetrics(["", "\n"])).toBe("");
  });
});
