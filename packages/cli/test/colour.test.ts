import { expect, test } from "vitest";
import { wantsColour } from "../src/colour.js";

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: "1" }, true, false],
  [{ NO_COLOR: "" }, true, true],
  [{ TERM: "dumb" }, true, false],
  [{ FORCE_COLOR: "1" }, false, true],
  [{ FORCE_COLOR: "0" }, true, false],
  [{ FORCE_COLOR: "", NO_COLOR: "1" }, false, true],
])("with %j and a terminal: %j, colour: %j", (env, isTerminal, colour) => {
  expect(wantsColour(env, isTerminal)).toBe(colour);
});
