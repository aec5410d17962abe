const CONTEXT =
  "the other runtime's Context is a class with a schema of no use to anybody, which is not reproduced";

/** Where this reader and a reference are known to differ, by `fixture.function profile`, and why. */
export const KNOWN_DIFFERENCES: ReadonlyMap<string, string> = new Map([
  ["decorated.told mcp", CONTEXT],
  ["decorated.computed mcp", CONTEXT],
  ["decorated.injected mcp", CONTEXT],
  ["decorated_sdk.told fastmcp", CONTEXT],
  ["decorated_sdk.optional_context fastmcp", CONTEXT],
]);

/** Functions of which a reference itself makes what is no JSON Schema, such as a union that nothing is left of. */
export const NO_VALID_SCHEMA: ReadonlySet<string> = new Set(["unions.unsayable_both"]);
