import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { STAGE_NAMES } from "@sluice/pipeline";
import { loadServiceSettings, SETTINGS } from "@sluice/runtime";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { interpolate, MissingVariableError } from "./interpolate.js";

interface ComposeService {
  image?: string;
  build?: { context: string; dockerfile?: string; args?: Record<string, string> };
  command?: string[];
  container_name?: string;
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  networks: string[];
  ports?: string[];
  profiles?: string[];
  restart?: string;
  volumes?: string[];
}

interface Compose {
  services: Record<string, ComposeService>;
  networks: Record<string, unknown>;
  volumes: Record<string, unknown>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}/${path}`, "utf8");

const compose = parse(read("docker-compose.yml"), { merge: true }) as Compose;
const OURS = ["ingest", ...STAGE_NAMES, "index", "janitor", "watch"];
const STORES = ["postgres", "redis", "minio"];
/** What runs only where its profile is asked for. */
const OPTIONAL = ["clamav"];
const WORKERS = OURS.filter((name) => name !== "ingest");

/** What a careful operator writes into .env. */
const SECRETS: Record<string, string> = {
  API_KEYS: "0123456789abcdef0123456789abcdef",
  POSTGRES_PASSWORD: "pg0123456789",
  REDIS_PASSWORD: "rd0123456789",
  MINIO_ROOT_USER: "sluice",
  MINIO_ROOT_PASSWORD: "mi0123456789",
};

function service(name: string): ComposeService {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

function environment(name: string, variables = SECRETS): Record<string, string> {
  const entries = Object.entries(service(name).environment ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, interpolate(value, variables)]));
}

describe("docker-compose.yml", () => {
  it("has a service for every folder under services/, and every stage of the map", () => {
    const folders = readdirSync(`${ROOT}/services`);
    expect([...folders].sort()).toEqual([...OURS].sort());
    const others = Object.keys(compose.services).filter((name) => !OURS.includes(name));
    expect(others.sort()).toEqual([...STORES, ...OPTIONAL, "migrate"].sort());
    for (const [name, { profiles }] of Object.entries(compose.services))
      expect(profiles).toEqual(OPTIONAL.includes(name) ? [name] : undefined);
  });

  it.each(OURS)("builds the image of %s for %s", (name) => {
    expect(service(name).build).toEqual({ context: ".", args: { SERVICE: name } });
    expect(service(name).command).toBeUndefined();
  });

  it.each(OURS)("gives %s settings that it declares, and that are right", (name) => {
    const declared = SETTINGS.map((setting) => setting.name);
    const given = environment(name);
    expect(declared).toEqual(expect.arrayContaining(Object.keys(given)));
    const settings = loadServiceSettings(given);
    expect(settings.catalogUrl).toBe("postgres://sluice:pg0123456789@postgres:5432/sluice");
    expect(settings.apiKeys.map(({ key }) => key)).toEqual(
      ["ingest", "watch"].includes(name) ? [SECRETS["API_KEYS"]] : [],
    );
  });

  it("lets every store be another server", () => {
    const urls = {
      CATALOG_URL: "postgres://a:b@db/x",
      QUEUE_URL: "rediss://:c@queue:6379",
      OBJECT_STORE_URL: "s3://k:s@objects.example/scripts",
      BACKUP_URL: "s3://k:s@elsewhere.example/backup",
    };
    expect(environment("backup", { ...SECRETS, ...urls })).toMatchObject(urls);
  });

  it("lets one Python be named for all who know which one judges, and for nobody else", () => {
    const PYTHON_BIN = "/usr/bin/python3";
    for (const name of OURS) {
      const given = environment(name, { ...SECRETS, PYTHON_BIN });
      const asks = read(`services/${name}/src/main.ts`).includes("findPython(");
      expect(given["PYTHON_BIN"], name).toBe(asks ? PYTHON_BIN : undefined);
      expect(loadServiceSettings(environment(name)).pythonBin, name).toBeUndefined();
    }
  });

  it("lets rules be named for all whose results depend on them, and for nobody else", () => {
    const YARA_RULES = "/etc/sluice/rules";
    for (const name of OURS) {
      const given = environment(name, { ...SECRETS, YARA_RULES });
      const depends = read(`services/${name}/src/main.ts`).includes("withRules(");
      expect(given["YARA_RULES"], name).toBe(depends ? YARA_RULES : undefined);
      expect(loadServiceSettings(environment(name)).yaraRules, name).toBeUndefined();
    }
  });

  it("lets a virus scanner be asked by the one who asks it, and be known to all whose results depend on it", () => {
    const CLAMD_URL = "tcp://clamav:3310";
    for (const name of OURS) {
      const given = environment(name, { ...SECRETS, CLAMD_URL });
      const depends = read(`services/${name}/src/main.ts`).includes("scannedVersion(");
      expect(given["CLAMD_URL"], name).toBe(depends ? CLAMD_URL : undefined);
      expect(loadServiceSettings(environment(name)).clamdUrl, name).toBeUndefined();
    }
    expect(read(".env.example")).toContain(`\n#CLAMD_URL=${CLAMD_URL}\n#COMPOSE_PROFILES=clamav\n`);
    expect(service("clamav").healthcheck?.test).toEqual(["CMD", "clamdcheck.sh"]);
  });

  it("migrates the catalog once, before anything uses it", () => {
    expect(service("migrate")).toMatchObject({
      build: { context: ".", args: { SERVICE: "janitor" } },
      command: ["node", "scripts/migrate.mjs"],
      restart: "on-failure",
      depends_on: { postgres: { condition: "service_healthy" } },
    });
    for (const name of OURS) {
      expect(service(name).depends_on).toEqual({
        migrate: { condition: "service_completed_successfully" },
        redis: { condition: "service_healthy" },
        minio: { condition: "service_healthy" },
      });
    }
  });

  it("asks each service whether it is ready where it says so", () => {
    for (const name of OURS) {
      const given = environment(name);
      const [host, port] =
        name === "ingest"
          ? [given["HOST"], given["PORT"]]
          : [given["METRICS_HOST"], given["METRICS_PORT"]];
      expect(host).toBe("0.0.0.0");
      const [kind, program, , script] = service(name).healthcheck?.test ?? [];
      expect([kind, program]).toEqual(["CMD", "node"]);
      expect(script).toContain(`fetch('http://127.0.0.1:${port}/readyz')`);
    }
    for (const name of STORES) expect(service(name).healthcheck?.test.length).toBeGreaterThan(1);
  });

  it("starts again what ends", () => {
    for (const name of [...OURS, ...STORES, ...OPTIONAL])
      expect(service(name).restart).toBe("unless-stopped");
  });

  it("lets workers be scaled, and reaches only the API, only from this machine", () => {
    for (const [name, { container_name: fixed, ports, networks }] of Object.entries(
      compose.services,
    )) {
      expect(fixed).toBeUndefined();
      expect(networks).toEqual(name === "ingest" ? ["stores", "edge"] : ["stores"]);
      if (name !== "ingest") expect(ports).toBeUndefined();
    }
    expect(service("ingest").ports?.map((port) => interpolate(port, {}))).toEqual([
      "127.0.0.1:8080:8080",
    ]);
    expect(WORKERS).toHaveLength(8);
  });

  it("keeps every store's data in a named volume", () => {
    const stored = [...STORES, ...OPTIONAL];
    expect(stored.map((name) => service(name).volumes?.[0]?.split(":")[0])).toEqual(stored);
    expect(Object.keys(compose.volumes)).toEqual(stored);
    expect(Object.keys(compose.networks)).toEqual(["stores", "edge"]);
  });

  it("lets the janitor see the disk of every store, and nothing of it be written", () => {
    const { diskPaths } = loadServiceSettings(environment("janitor"));
    const mounted = service("janitor").volumes?.map((volume) => volume.split(":"));
    expect(mounted?.map(([volume]) => volume)).toEqual(STORES);
    expect(mounted?.every(([, , mode]) => mode === "ro")).toBe(true);
    expect(new Set(diskPaths.map(({ path }) => path))).toEqual(
      new Set(mounted?.map(([, place]) => place)),
    );
    expect(diskPaths.map(({ name }) => name)).toEqual(["catalog", "queue", "objects", "backup"]);
    for (const name of ["ingest", "janitor"]) {
      const given = environment(name, { ...SECRETS, DISK_FULL: "5%" });
      expect(loadServiceSettings(given).diskFull, name).toMatchObject({ percent: 5 });
    }
  });

  it("never lets Redis forget a job", () => {
    const command = service("redis").command?.join(" ");
    expect(command).toContain("--appendonly yes");
    expect(command).toContain("--maxmemory-policy noeviction");
  });
});

describe("secrets", () => {
  const strings = (value: unknown): string[] =>
    typeof value === "string"
      ? [value]
      : value === null || typeof value !== "object"
        ? []
        : Object.values(value).flatMap(strings);

  it.each(Object.keys(SECRETS))("%s is asked for and has no default", (name) => {
    const { [name]: _, ...others } = SECRETS;
    const missing = strings(compose).flatMap((value) => {
      try {
        interpolate(value, others);
        return [];
      } catch (error) {
        if (!(error instanceof MissingVariableError)) throw error;
        return [error.variable];
      }
    });
    expect(new Set(missing)).toEqual(new Set([name]));
  });

  it("are nowhere written out", () => {
    const secret = new Set(
      SETTINGS.filter((setting) => setting.secret).map((setting) => setting.name),
    );
    for (const [name, { environment: given = {} }] of Object.entries(compose.services)) {
      for (const [key, value] of Object.entries(given)) {
        if (!secret.has(key) && !/PASSWORD|_AUTH|_USER$/.test(key)) continue;
        // The role's name is no secret; it comes with a password that is.
        if (`${name}.${key}` === "postgres.POSTGRES_USER") continue;
        expect(value, `${name}.${key}`).toContain("${");
        // Nothing is encrypted without it, or nobody told, which is what an empty one says.
        if (key === "BACKUP_KEY" || key === "WEBHOOKS") expect(interpolate(value, {})).toBe("");
        else expect(() => interpolate(value, {}), `${name}.${key}`).toThrow(MissingVariableError);
      }
    }
  });

  it("are all in .env.example, empty; what else it names is used", () => {
    const lines = read(".env.example").split("\n");
    const empty = lines.filter((line) => /^[A-Z_]+=/.test(line));
    expect(empty.sort()).toEqual(
      Object.keys(SECRETS)
        .map((name) => `${name}=`)
        .sort(),
    );
    const optional = lines.flatMap((line) => /^#([A-Z_]+)=/.exec(line)?.[1] ?? []);
    const text = read("docker-compose.yml");
    // Compose itself reads this one.
    const ours = optional.filter((name) => name !== "COMPOSE_PROFILES");
    for (const name of ours) expect(text).toContain(`\${${name}:-`);
  });
});
