import { type Call, argument, calleeId } from "../python/values.js";

const URL_CLASS =
  /^pydantic\.(AnyUrl|AnyHttpUrl|HttpUrl|FileUrl|FtpUrl|WebsocketUrl|AnyWebsocketUrl)$/;

/**
 * The text of an instance of one of pydantic's URL classes, which is what the URL Standard's parser makes of it: pydantic-core
 * has Rust's `url`, which follows the same standard. `undefined` for other values and for text that is no URL.
 */
export function urlText(value: Call): string | undefined {
  if (!URL_CLASS.test(calleeId(value))) return undefined;
  const given = argument(value, 0, "url");
  if (given?.kind === "call") return urlText(given);
  return given?.kind === "str" && URL.canParse(given.value) ? new URL(given.value).href : undefined;
}
