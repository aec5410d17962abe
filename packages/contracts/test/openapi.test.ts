import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { openApiDocument } from "../src/openapi.js";
import type { Operation } from "../src/operation.js";
import { OPERATIONS } from "../src/operations.js";
import { PROBLEMS } from "../src/problems.js";

const document = openApiDocument("1.2.3");
const text = JSON.stringify(document);

interface Documented {
  readonly parameters?: readonly { in: string; name: string; description?: string }[];
}

function documented(path: string, method: string): Documented {
  const item = document.paths?.[path] as Record<string, Documented> | undefined;
  return item?.[method] ?? {};
}

describe("the OpenAPI document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(JSON.parse(text) as Record<string, unknown>);
    expect(result).toEqual({ valid: true });
    expect(document.openapi).toBe("3.1.0");
    expect(document.info.version).toBe("1.2.3");
  });

  it("has every operation, once", () => {
    const inDocument = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item as object).map((method) => `${method} ${path}`),
    );
    const declared = (Object.values(OPERATIONS) as Operation[]).map(
      ({ method, path }) => `${method} ${path}`,
    );
    expect(inDocument.toSorted()).toEqual(declared.toSorted());
    expect(new Set(declared).size).toBe(declared.length);
  });

  it("names every problem code with what it means", () => {
    for (const [code, { title }] of Object.entries(PROBLEMS)) {
      const schema = JSON.stringify(document.components?.schemas?.["Problem"]);
      expect(schema).toContain(`\`${code}\``);
      expect(schema).toContain(title);
    }
  });

  it("tells of each operation's own codes", () => {
    for (const { path, method, problems } of Object.values(OPERATIONS) as Operation[]) {
      const responses = JSON.stringify(documented(path, method));
      for (const code of problems) expect(responses, `${method} ${path}`).toContain(`\`${code}\``);
    }
  });

  it("tells of the missing key wherever one is asked for, as for /metrics", () => {
    for (const { path, method, open = false } of Object.values(OPERATIONS) as Operation[]) {
      const responses = JSON.stringify(documented(path, method));
      expect(responses.includes("`unauthorized`"), `${method} ${path}`).toBe(!open);
    }
  });

  it("describes every parameter that requests are checked for", () => {
    for (const { path, method, query, params } of Object.values(OPERATIONS) as Operation[]) {
      const { parameters = [] } = documented(path, method);
      const named = (where: string): string[] =>
        parameters
          .filter((parameter) => parameter.in === where)
          .map(({ name }) => name)
          .toSorted();
      expect(named("query")).toEqual(Object.keys(query.shape).toSorted());
      expect(named("path")).toEqual(Object.keys(params?.shape ?? {}).toSorted());
      for (const { name, description } of parameters)
        expect(description, `${path} ${name}`).toBeTruthy();
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name));
      expect(inPath.toSorted()).toEqual(named("path"));
    }
  });

  it("holds no regular expression in JavaScript's own dialect", () => {
    expect(text).not.toMatch(/"pattern":"[^"]*(?:\\p|\/[a-z]*")/);
  });
});
