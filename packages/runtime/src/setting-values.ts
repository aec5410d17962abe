import { isAbsolute } from "node:path";
import { z } from "zod";

/** A whole number in decimal digits. */
export function whole(min: number, max: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max);
}

/** Values separated by commas; empty places between commas are no values. */
export function commaList<Item>(item: z.ZodType<Item, string>): z.ZodType<Item[], string> {
  return z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    )
    .pipe(z.array(item).min(1));
}

function url(isRight: (url: URL) => boolean): z.ZodType<string, string> {
  return z.string().refine((text) => URL.canParse(text) && isRight(new URL(text)));
}

const POSTGRES = ["postgres:", "postgresql:"];

function isPostgres({ protocol, hostname, pathname }: URL): boolean {
  return POSTGRES.includes(protocol) && hostname !== "" && /^\/[^/]+$/.test(pathname);
}

export const catalogUrl = url(isPostgres);

export const queueUrl = url(
  (parsed) =>
    (["redis:", "rediss:"].includes(parsed.protocol) && parsed.hostname !== "") ||
    isPostgres(parsed),
);

export const objectUrl = url(({ protocol, hostname, pathname, username, password }) => {
  if (protocol === "file:") return hostname === "" && pathname !== "/";
  return (
    protocol === "s3:" &&
    hostname !== "" &&
    username !== "" &&
    password !== "" &&
    /^\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/?$/.test(pathname)
  );
});

export const httpUrl = url(({ protocol }) => protocol === "http:" || protocol === "https:");

export const clamdUrl = url(({ protocol, hostname, pathname, username, password }) => {
  if (protocol === "unix:") return hostname === "" && pathname.length > 1;
  return (
    protocol === "tcp:" &&
    hostname !== "" &&
    username + password === "" &&
    (pathname === "" || pathname === "/")
  );
});

/** A key that callers of the API send, and the name that the audit log knows its holder by. */
export interface ApiKey {
  readonly name: string | undefined;
  readonly key: string;
}

/** Names that the audit log has for others than the holders of keys. */
const TAKEN_NAMES = ["janitor", "local", "policy", "retention"];

/** `KEY`, or `NAME:KEY`. */
export const apiKeys: z.ZodType<ApiKey[], string> = commaList(
  z
    .string()
    .regex(/^(?:[A-Za-z][A-Za-z0-9._-]{0,63}:)?[\x21-\x2b\x2d-\x39\x3b-\x7e]{16,}$/)
    .transform((text) => {
      const [key = "", name] = text.split(":").toReversed();
      return { name, key };
    }),
).refine((keys) => {
  const names = keys.flatMap(({ name }) => name ?? []);
  return (
    new Set(keys.map(({ key }) => key)).size === keys.length &&
    new Set(names).size === names.length &&
    !names.some((name) => TAKEN_NAMES.includes(name))
  );
});

/** Keys of 32 bytes in base64, separated by commas. */
export const backupSecrets: z.ZodType<Buffer[], string> = commaList(
  z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/)
    .transform((text) => Buffer.from(text, "base64")),
);

/** A level of free space: a share of the disk, or so many bytes, or the lesser of both. */
export interface DiskLevel {
  /** Of the disk's bytes, and of its inodes; from 0 to 100. */
  readonly percent: number | undefined;
  readonly bytes: number | undefined;
}

/** Decimal ones as of SI, binary ones as of IEC 80000-13. */
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

function shareOf(text: string): number | undefined {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text) ?? [];
  return digits === undefined || Number(digits) > 100 ? undefined : Number(digits);
}

function bytesOf(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?) ?([KMGT]?i?B)$/i.exec(text) ?? [];
  const factor = SIZE_UNITS[unit.toUpperCase()];
  if (digits === undefined || factor === undefined) return undefined;
  const bytes = Math.round(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `10%`, `20GB`, or both with a comma between. */
export const diskLevel: z.ZodType<DiskLevel, string> = z.string().transform((text, context) => {
  const parts = text.split(",").map((part) => part.trim());
  const [percent] = parts.flatMap((part) => shareOf(part) ?? []);
  const [bytes] = parts.flatMap((part) => bytesOf(part) ?? []);
  const understood = Number(percent !== undefined) + Number(bytes !== undefined);
  if (understood === 0 || understood !== parts.length) {
    context.addIssue({ code: "custom", message: "no level" });
    return z.NEVER;
  }
  return { percent, bytes };
});

/** A disk that is watched under a name of its own. */
export interface DiskPath {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** `NAME=/DIRECTORY`, separated by commas; commas, blanks and percent signs of a directory are percent-encoded. */
export const diskPaths: z.ZodType<DiskPath[], string> = commaList(
  z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}=/)
    .transform((text) => {
      const end = text.indexOf("=");
      return { name: text.slice(0, end), path: decoded(text.slice(end + 1)) };
    })
    .refine(({ path }) => isAbsolute(path) && !path.includes("\0")),
).refine((disks) => new Set(disks.map(({ name }) => name)).size === disks.length);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The same, as the setting is written. */
export function writeDiskPaths(disks: readonly DiskPath[]): string {
  return disks
    .map(({ name, path }) => `${name}=${encodeURIComponent(path).replaceAll("%2F", "/")}`)
    .join(",");
}
