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
export function commaList(item: z.ZodType<string, string>): z.ZodType<string[], string> {
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
