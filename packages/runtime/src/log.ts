import {
  destination as openDestination,
  pino,
  stdTimeFunctions,
  type DestinationStream,
  type Logger,
} from "pino";
import type { Settings } from "./settings.js";

export type { Logger } from "pino";

const SECRET_FIELDS = [
  "authorization",
  "cookie",
  "password",
  "secret",
  "apiKey",
  "api_key",
  "x-api-key",
];

/**
 * `scheme://user:password@`, as URLs of stores carry it, also where an error's message quotes one; but
 * not the placeholders of a form.
 */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]*):(?!PASSWORD@|SECRET@)[^\s@/"\\]+@/gi;

/** The text without the passwords of the URLs in it. */
export function withoutPasswords(text: string): string {
  return text.replace(URL_PASSWORD, "$1:***@");
}

/**
 * A log of JSON lines on standard output: `level`, `time` (RFC 3339), `service`, `pid`, `msg`. Fields
 * named like secrets, in an object or one or two below it, and passwords in URLs are not written.
 */
export function createLog(
  service: string,
  { logLevel }: Pick<Settings, "logLevel">,
  destination: DestinationStream = standardOutput(),
): Logger {
  const options = {
    level: logLevel,
    base: { service, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
    redact: {
      paths: ["", "*.", "*.*."].flatMap((above) =>
        SECRET_FIELDS.map((field) =>
          field.includes("-") ? `${above.replace(/\.$/, "")}["${field}"]` : `${above}${field}`,
        ),
      ),
      censor: "***",
    },
    hooks: { streamWrite: withoutPasswords },
  };
  return pino(options, destination);
}

function standardOutput(): DestinationStream {
  const stream = openDestination({ dest: 1, sync: true });
  // A terminal or a pipe that is gone must not end a process that has work to finish.
  stream.on("error", () => {});
  return stream;
}
