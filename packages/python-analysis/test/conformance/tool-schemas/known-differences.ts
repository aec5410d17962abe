const CONTEXT =
  "FastMCP's decorator gives the context a default, which the SDK, asked about what is decorated, then sees";

/** Where this reader and a reference are known to differ, by `fixture.function profile`, and why. */
export const KNOWN_DIFFERENCES: ReadonlyMap<string, string> = new Map([
  ["decorated.told mcp", CONTEXT],
  ["decorated.computed mcp", CONTEXT],
]);

/** Functions of which a reference itself makes what is no JSON Schema, such as a union that nothing is left of. */
export const NO_VALID_SCHEMA: ReadonlySet<string> = new Set(["unions.unsayable_both"]);
