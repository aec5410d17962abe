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
