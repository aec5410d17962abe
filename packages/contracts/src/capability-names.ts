/** What a script can do to the world, by name; kept equal to the analyser's data by a test. */
export const CAPABILITY_NAMES = [
  "filesystem.read",
  "filesystem.write",
  "filesystem.delete",
  "network.client",
  "network.server",
  "network.dns",
  "process.spawn",
  "process.signal",
  "code.execute",
  "code.import",
  "code.reflect",
  "native.load",
  "data.deserialize",
  "data.xml",
  "environment.read",
  "environment.write",
  "system.info",
  "system.modify",
  "system.persist",
  "secrets.read",
  "device",
  "concurrency",
  "crypto",
  "data.codec",
  "obfuscation",
  "unresolved",
] as const;

/** Says whether a pattern, which is a name, a group such as `filesystem.*`, or `*` for all, takes in a name. */
export function takesIn(pattern: string, name: string): boolean {
  if (pattern === "*" || pattern === name) return true;
  return pattern.endsWith(".*") && name.startsWith(pattern.slice(0, -1));
}
