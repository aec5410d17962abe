const ESCAPED_BYTE = /[\udc80-\udcff]/;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * The name of a file as a URI (RFC 3986): relative ones stay relative, absolute ones become `file:` URIs. Everything that has a
 * meaning in URIs is percent-encoded, the colon of `a:b.py` too, which would end a scheme.
 *
 * @param name - a path with `/` between its parts; bytes that are no UTF-8 as lone surrogates (PEP 383) give just these bytes
 */
export function artifactUri(name: string): string {
  const parts = name.split("/").filter((part, at) => part !== "." && (part !== "" || at === 0));
  const path = parts.map(encodePart).join("/");
  // Two slashes at the start would name a host.
  return name.startsWith("/") ? `file:///${path.replace(/^\/+/, "")}` : path;
}

function encodePart(part: string): string {
  let encoded = "";
  let rest = part;
  for (let match = LONE.exec(rest); match !== null; match = LONE.exec(rest)) {
    const [half] = match;
    encoded += encodeURIComponent(rest.slice(0, match.index));
    encoded += ESCAPED_BYTE.test(half) ? byte(half.charCodeAt(0) - 0xdc00) : "%EF%BF%BD";
    rest = rest.slice(match.index + 1);
  }
  return encoded + encodeURIComponent(rest);
}

function byte(value: number): string {
  return `%${value.toString(16).toUpperCase().padStart(2, "0")}`;
}
