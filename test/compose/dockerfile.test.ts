import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const WORKSPACES = ["packages", "services"].flatMap((parent) =>
  readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`),
);

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
}

const manifests = new Map(
  WORKSPACES.map((path) => [path, JSON.parse(read(`${path}/package.json`)) as Manifest]),
);

describe("an image", () => {
  // `turbo prune` keeps what package.json names, and `tsc -b` builds what tsconfig.json refers to.
  it.each(WORKSPACES)("of %s has everything that it is compiled from", (path) => {
    const { references = [] } = parse(read(`${path}/tsconfig.json`)) as {
      references?: { path: string }[];
    };
    const referred = references.map(
      (reference) => manifests.get(normalize(join(path, reference.path)))?.name,
    );
    const own = Object.keys(manifests.get(path)?.dependencies ?? {}).filter((name) =>
      name.startsWith("@sluice/"),
    );
    expect(own).toEqual(expect.arrayContaining(referred));
  });

  it("is built from one file, for the service it is told, and runs without root's rights", () => {
    const lines = read("Dockerfile").split("\n");
    expect(lines.filter((line) => line === "ARG SERVICE").length).toBe(3);
    expect(lines.at(-2)).toContain(
      'exec node --enable-source-maps \\"services/$SERVICE/dist/main.js\\"',
    );
    expect(lines).toContain("USER node");
    for (const name of read("Dockerfile").matchAll(/^COPY (?!--from)(\S+)/gm)) {
      if (name[1] !== ".") expect(() => read(name[1] ?? "")).not.toThrow();
    }
  });

  it("carries a Python where one may be named to judge, and nowhere else", () => {
    const [, names] = /^ +(\S+)\) \\\n +apt-get .* python3 \\$/m.exec(read("Dockerfile")) ?? [];
    const asking = readdirSync(join(ROOT, "services")).filter((name) =>
      read(`services/${name}/src/main.ts`).includes("findPython("),
    );
    expect(names?.split("|").sort()).toEqual(asking.sort());
    expect(read(".env.example")).toContain("\n#PYTHON_BIN=/usr/bin/python3\n");
  });

  it("has no secrets and nothing built elsewhere in it", () => {
    const ignored = read(".dockerignore").split("\n");
    for (const name of [".env", ".git", "data", "**/node_modules", "**/dist"])
      expect(ignored).toContain(name);
  });

  it("of MinIO is built from the source that the tests run against", () => {
    const version = /github\.com\/minio\/minio@v[\w.-]+/;
    const tested = version.exec(read("test/servers/s3-programs.ts"))?.[0];
    expect(tested).toBeDefined();
    expect(version.exec(read("docker/minio.Dockerfile"))?.[0]).toBe(tested);
  });
});
