import { StoreFullError } from "@sluice/object-store";
import { expect, test } from "vitest";

import { toProblemError } from "../src/http/problems.js";

test("a full object store is no outage: 507, and when to come back", () => {
  const problem = toProblemError(new StoreFullError("file:///x: put a: no space left on the disk"));
  expect(problem).toMatchObject({
    code: "insufficient_storage",
    headers: { "Retry-After": "30" },
  });
});
