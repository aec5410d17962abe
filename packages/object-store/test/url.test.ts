import { expect, test } from "vitest";
import { ObjectStoreUrlError, parseObjectStoreUrl } from "../src/url.js";

const S3 = {
  kind: "s3",
  host: "minio",
  port: 9000,
  ssl: true,
  region: "us-east-1",
  bucket: "scripts",
  accessKey: "KEY",
  secretKey: "SECRET",
};

test.each([
  ["file:///var/lib/sluice", { kind: "file", directory: "/var/lib/sluice" }],
  ["file:///with%20space/%C3%A9/a%23b/", { kind: "file", directory: "/with space/é/a#b/" }],
  ["file://localhost/data", { kind: "file", directory: "/data" }],
  ["FILE:///data", { kind: "file", directory: "/data" }],
  ["s3://KEY:SECRET@minio:9000/scripts", S3],
  ["s3://KEY:SECRET@minio:9000/scripts/", S3],
  ["S3://KEY:SECRET@minio:9000/scripts?ssl=false", { ...S3, ssl: false }],
  [
    "s3://KEY:SECRET@minio/scripts?region=eu-west-1",
    { ...S3, port: undefined, region: "eu-west-1" },
  ],
  ["s3://KEY:SECRET@[::1]:9000/scripts?region=us-east-1&ssl=true", { ...S3, host: "::1" }],
  [
    "s3://K%2FE%40Y:S%2FE%2BC%3AR%25ET@minio:9000/scripts",
    { ...S3, accessKey: "K/E@Y", secretKey: "S/E+C:R%ET" },
  ],
  ["s3://KEY:SEC:RET@minio:9000/scripts", { ...S3, secretKey: "SEC:RET" }],
  [
    "s3://KEY:SECRET@192.168.0.1:9000/my.bucket-1",
    { ...S3, host: "192.168.0.1", bucket: "my.bucket-1" },
  ],
])("%s", (url, expected) => {
  expect(parseObjectStoreUrl(url)).toEqual(expected);
});

const IN_S3 = "s3://KEY:hushhush@minio:9000";

test.each([
  ["", /empty/],
  ["data", /no URL/],
  ["/data", /no URL/],
  ["C:\\data", /no URL/],
  ["file:/data", /no URL/],
  ["https://KEY:hushhush@minio:9000/scripts", /https:\/\/ is no object store/],
  ["redis://:hushhush@minio", /redis:\/\/ is no object store/],
  ["file://data", /three slashes/],
  ["file://relative/path", /three slashes/],
  ["file:///", /names no directory/],
  ["file:///a?b=c", /no parameters/],
  ["file:///a#b", /no parameters/],
  ["file:///a%2Fb", /percent-encoded/],
  ["file:///a%ZZ", /percent-encoded/],
  ["file:///a%00b", /NUL/],
  ["s3://minio:9000/scripts", /lacks a key or a secret/],
  ["s3://KEY@minio:9000/scripts", /lacks a key or a secret/],
  ["s3://:hushhush@minio:9000/scripts", /lacks a key or a secret/],
  ["s3://KEY:hush/hush@minio:9000/scripts", /cannot be read.*%2F/],
  [
    "s3://KEY:hushhush%ZZ@minio:9000/scripts",
    /secret in the s3 URL is not properly percent-encoded/,
  ],
  ["s3://KEY%ZZ:hushhush@minio:9000/scripts", /key in the s3 URL is not properly percent-encoded/],
  ["s3://KEY:hushhush@/scripts", /cannot be read/],
  ["s3://KEY:hushhush@mi nio/scripts", /cannot be read/],
  ["s3://KEY:hushhush@mi_nio!/scripts", /no host name/],
  ["s3://KEY:hushhush@minio:99999/scripts", /PORT is 1 to 65535/],
  ["s3://KEY:hushhush@minio:0/scripts", /PORT of the s3 URL is 1 to 65535/],
  ["s3://KEY:hushhush@minio:port/scripts", /PORT is 1 to 65535/],
  [IN_S3, /names no bucket/],
  [`${IN_S3}/`, /names no bucket/],
  [`${IN_S3}/scripts/prefix`, /no prefixes/],
  [`${IN_S3}/Scripts`, /bucket "Scripts"/],
  [`${IN_S3}/ab`, /bucket "ab"/],
  [`${IN_S3}/${"a".repeat(64)}`, /3 to 63/],
  [`${IN_S3}/-scripts`, /bucket "-scripts"/],
  [`${IN_S3}/a..b`, /bucket "a..b"/],
  [`${IN_S3}/10.0.0.1`, /bucket "10.0.0.1"/],
  [`${IN_S3}/scr%2Fipts`, /bucket "scr%2Fipts"/],
  [`${IN_S3}/scripts#x`, /%23/],
  [`${IN_S3}/scripts?tls=false`, /unknown parameter "tls"/],
  [`${IN_S3}/scripts?ssl=no`, /ssl of the s3 URL is true or false/],
  [`${IN_S3}/scripts?ssl=`, /ssl of the s3 URL is true or false/],
  [`${IN_S3}/scripts?ssl=true&ssl=false`, /ssl twice/],
  [`${IN_S3}/scripts?region=`, /region of the s3 URL/],
  [`${IN_S3}/scripts?region=EU West`, /region of the s3 URL/],
])("%j is refused", (url, expected) => {
  const parse = () => parseObjectStoreUrl(url);
  expect(parse).toThrow(ObjectStoreUrlError);
  expect(parse).toThrow(expected);
  expect(parse).not.toThrow(/hush/);
});
