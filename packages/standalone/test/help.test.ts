import { SETTINGS } from "@sluice/runtime";
import { describe, expect, it } from "vitest";
import { helpText } from "../src/help.js";
import { main } from "../src/main.js";
import { apiUrl } from "../src/services.js";

describe("the command line", () => {
  it("explains every setting", () => {
    for (const { name, description } of SETTINGS) {
      expect(helpText()).toMatch(new RegExp(`^  ${name} +${description.slice(0, 10)}`, "m"));
    }
  });

  it("refuses wrong settings and arguments before it does anything", async () => {
    expect(await main([], { PORT: "http", LOG_LEVEL: "loud" })).toBe(2);
    expect(await main(["--port=1"], {})).toBe(2);
  });
});

describe("the announced address", () => {
  it.each([
    ["127.0.0.1", "http://127.0.0.1:80"],
    ["0.0.0.0", "http://127.0.0.1:80"],
    ["::", "http://[::1]:80"],
    ["::1", "http://[::1]:80"],
    ["localhost", "http://localhost:80"],
  ])("for %s is one that works here", (host, url) => {
    expect(apiUrl(host, 80)).toBe(url);
  });
});
