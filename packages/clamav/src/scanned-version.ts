/**
 * The version that results of an analyser bear where ClamAV has looked at the bytes, too: what was analysed without it is not
 * reused once it is asked for.
 *
 * @param clamdUrl - as it is set; `undefined` where nothing is scanned
 */
export function scannedVersion(analyserVersion: string, clamdUrl: string | undefined): string {
  return clamdUrl === undefined ? analyserVersion : `${analyserVersion}+clamav`;
}
