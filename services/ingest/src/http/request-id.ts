import { v7 as uuidv7 } from "uuid";

const SANE = /^[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}$/;

/** The id that a client or proxy gave the request where it can be logged as it is, else a new UUIDv7. */
export function requestId(header: string | undefined): string {
  return header !== undefined && SANE.test(header) ? header : uuidv7();
}
