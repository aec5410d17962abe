import type { BlobEncoding } from "@sluice/object-store";
import Negotiator from "negotiator";

/**
 * In which coding to send what is stored in one (RFC 9110, 12.5.3): as it is stored where that is
 * accepted and not ranked below the plain bytes.
 *
 * @returns `undefined` where neither is accepted
 */
export function chooseCoding(
  acceptEncoding: string | undefined,
  stored: BlobEncoding,
): BlobEncoding | undefined {
  // Without the header anything goes, but many a client without it decodes nothing.
  if (acceptEncoding === undefined) return "identity";
  const offered = stored === "identity" ? ["identity"] : [stored, "identity"];
  const negotiator = new Negotiator({ headers: { "accept-encoding": acceptEncoding } });
  return negotiator.encoding(offered) as BlobEncoding | undefined;
}
