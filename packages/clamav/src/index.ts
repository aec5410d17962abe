/** ClamAV, by way of its daemon: bytes in, the name of a signature or nothing out. */
export {
  Clamd,
  type ClamdOptions,
  ClamdRefusedError,
  ClamdUnavailableError,
  type Scan,
} from "./clamd.js";
export { scannedVersion } from "./scanned-version.js";
