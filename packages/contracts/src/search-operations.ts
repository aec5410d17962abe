import type { Operation } from "./operation.js";
import { API, NEEDS_CATALOG } from "./operation-members.js";
import * as parameters from "./parameters.js";
import { searchResults } from "./search.js";

export const SEARCH_OPERATIONS = {
  search: {
    method: "get",
    path: `${API}/search`,
    tag: "Search",
    summary: "Search names, content, functions, docstrings, imports and dependencies",
    description:
      "Each script is searched by its newest version that is indexed, which is within seconds of its being done. " +
      "`q` has free text, which is one pattern with the blanks in it, and `field:value` between blanks, all of which must hold: " +
      "`name`, `namespace`, `tag`, `state`, `verdict`, `function`, `class`, `tool`, `import`, `dependency`, `capability`, `docstring`. " +
      'A `*` in a value stands for any characters; `"…"` holds text or a value with blanks or colons; `-` before a field or a quote excludes.',
    query: parameters.searchQuery,
    answers: { 200: { description: "One page", content: { "application/json": searchResults } } },
    problems: ["invalid_cursor", "search_overloaded", ...NEEDS_CATALOG],
  },
} as const satisfies Record<string, Operation>;
