import type { Storage } from "@sluice/contracts";
import { isPackKey } from "@sluice/object-store";

/** @param key - of the blob; `undefined` where there is none yet, or none any more */
export function storageOf(key: string | undefined): Storage {
  return key !== undefined && isPackKey(key) ? "archive" : "hot";
}
