import { fileURLToPath } from "node:url";

/** Where a store is, as its URL says. */
export type ObjectStoreLocation = FileSystemLocation | S3Location;

export interface FileSystemLocation {
  readonly kind: "file";
  /** Absolute path. */
  readonly directory: string;
}

export interface S3Location {
  readonly kind: "s3";
  readonly host: string;
  /** `undefined` is the protocol's own. */
  readonly port: number | undefined;
  readonly ssl: boolean;
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** The message says what is wrong with a store's URL and never holds its key or secret. */
export class ObjectStoreUrlError extends Error {
  override readonly name = "ObjectStoreUrlError";
}

const FORMS =
  "it must be file:///absolute/directory or s3://KEY:SECRET@HOST:PORT/BUCKET?ssl=true|false&region=REGION";

/**
 * Reads the URL of an object store: `file:///directory` or
 * `s3://KEY:SECRET@HOST[:PORT]/BUCKET[?ssl=true|false][&region=…]` (TLS and `us-east-1` if not said; key
 * and secret percent-encoded, RFC 3986).
 *
 * @throws {@link ObjectStoreUrlError}
 */
export function parseObjectStoreUrl(text: string): ObjectStoreLocation {
  if (text === "") throw new ObjectStoreUrlError(`the URL is empty: ${FORMS}`);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === "file") return parseFileUrl(text);
  if (scheme === "s3") return parseS3Url(text);
  throw new ObjectStoreUrlError(
    scheme === undefined ? `that is no URL: ${FORMS}` : `${scheme}:// is no object store: ${FORMS}`,
  );
}

function parseFileUrl(text: string): FileSystemLocation {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.host !== "") {
    throw new ObjectStoreUrlError("a file URL has three slashes: file:///absolute/directory");
  }
  if (url.search !== "" || url.hash !== "") {
    throw new ObjectStoreUrlError('a file URL has no parameters; write "?" as %3F and "#" as %23');
  }
  let directory: string;
  try {
    directory = fileURLToPath(url);
  } catch {
    throw new ObjectStoreUrlError("the path of the file URL is not properly percent-encoded");
  }
  if (directory.includes("\0")) throw new ObjectStoreUrlError("the path of the file URL has a NUL");
  if (url.pathname === "/") throw new ObjectStoreUrlError("the file URL names no directory");
  return { kind: "file", directory };
}

function parseS3Url(text: string): S3Location {
  if (!URL.canParse(text)) {
    throw new ObjectStoreUrlError(
      'the s3 URL cannot be read: in KEY and SECRET write "/" as %2F, "@" as %40, "+" as %2B; PORT is 1 to 65535',
    );
  }
  const url = new URL(text);
  const accessKey = decode(url.username, "key");
  const secretKey = decode(url.password, "secret");
  if (accessKey === "" || secretKey === "") {
    throw new ObjectStoreUrlError(
      "the s3 URL lacks a key or a secret: s3://KEY:SECRET@HOST:PORT/BUCKET",
    );
  }
  if (!/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)$/.test(url.hostname)) {
    throw new ObjectStoreUrlError("the s3 URL has no host name or address after the @");
  }
  if (url.port === "0") throw new ObjectStoreUrlError("PORT of the s3 URL is 1 to 65535");
  if (url.hash !== "") throw new ObjectStoreUrlError('the s3 URL has a "#": write it as %23');
  const [bucket = "", ...more] = url.pathname.replace(/^\//, "").replace(/\/$/, "").split("/");
  assertBucket(bucket, more.length);
  const { ssl, region } = readParameters(url.searchParams);
  return {
    kind: "s3",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? undefined : Number(url.port),
    ssl,
    region,
    bucket,
    accessKey,
    secretKey,
  };
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ObjectStoreUrlError(`the ${what} in the s3 URL is not properly percent-encoded`);
  }
}

/** The naming rules that Amazon S3 and every other server share. */
function assertBucket(bucket: string, segmentsAfter: number): void {
  if (bucket === "") throw new ObjectStoreUrlError("the s3 URL names no bucket after the host");
  if (segmentsAfter > 0) {
    throw new ObjectStoreUrlError(
      "the s3 URL has more than a bucket in its path: there are no prefixes",
    );
  }
  const valid =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) && !/\.\.|^\d+\.\d+\.\d+\.\d+$/.test(bucket);
  if (!valid) {
    throw new ObjectStoreUrlError(
      `bucket ${JSON.stringify(bucket)} of the s3 URL: 3 to 63 lower-case letters, digits, "-" and ".", letter or digit first and last`,
    );
  }
}

function readParameters(parameters: URLSearchParams): { ssl: boolean; region: string } {
  const seen = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (name !== "ssl" && name !== "region") {
      throw new ObjectStoreUrlError(
        `the s3 URL has an unknown parameter ${JSON.stringify(name)}: there are ssl and region`,
      );
    }
    if (seen.has(name)) throw new ObjectStoreUrlError(`the s3 URL says ${name} twice`);
    seen.set(name, value);
  }
  const ssl = seen.get("ssl") ?? "true";
  const region = seen.get("region") ?? "us-east-1";
  if (ssl !== "true" && ssl !== "false") {
    throw new ObjectStoreUrlError("ssl of the s3 URL is true or false");
  }
  if (!/^[a-z0-9-]+$/.test(region)) {
    throw new ObjectStoreUrlError("region of the s3 URL is lower-case letters, digits and -");
  }
  return { ssl: ssl === "true", region };
}
