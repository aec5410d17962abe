import { extractMetadata, parseModule } from "@sluice/python-analysis";
import { describe, expect, it } from "vitest";
import { ancestors, buildDocument } from "../src/document.js";
import { parseQuery } from "../src/query.js";
import { compileSpec } from "../src/verify.js";

const SOURCE = `import os.path as osp, requests
from requests.adapters import HTTPAdapter as A, Retry
from . import sibling
from ..pkg.log import *
try:
    import simplejson
except ImportError:
    def late():
        from numpy import (
            array,
        )
`;

describe("imports", () => {
  it.each([
    ["requests", ["1:24 requests", "2:6 requests.adapters"]],
    ["requests.adapters", ["2:6 requests.adapters"]],
    ["requests.adapters.Retry", ["2:6 requests.adapters"]],
    ["os", ["1:8 os.path"]],
    ["os.path", ["1:8 os.path"]],
    ["*adapters", ["2:6 requests.adapters"]],
    ["numpy", ["9:14 numpy"]],
    ["numpy.array", ["9:14 numpy"]],
    ["simplejson", ["6:12 simplejson"]],
    [".", ["3:6 ."]],
    [".sibling", ["3:6 ."]],
    ["..pkg", ["4:6 ..pkg.log"]],
    ["..pkg.log", ["4:6 ..pkg.log"]],
    ["sibling", []],
    ["pkg", []],
    ["pkg.log", []],
    ["adapters", []],
    ["path", []],
    ["A", []],
    ["array", []],
    ["numpy.*y", ["9:14 numpy"]],
  ])("of %s are found, each once, and no others", async (module, places) => {
    const document = buildDocument(
      Buffer.from(SOURCE),
      extractMetadata(await parseModule(SOURCE)),
      undefined,
    );
    const spec = {
      ...parseQuery(`import:${module}`),
      options: { regex: false, word: false, caseSensitive: true },
      places: undefined,
    };
    const found = compileSpec(spec)(document)({ filename: "x.py" });
    const shown = found?.matches.map(({ line, column, snippet, ranges: [range] }) => {
      const hit = [...snippet].slice(range!.start, range!.end).join("");
      return `${line}:${column} ${hit}`;
    });
    expect(shown ?? []).toEqual(places);
  });

  it("stand for all modules that they are in", () => {
    expect(ancestors("a.b.c")).toEqual(["a.b.c", "a.b", "a"]);
    expect(ancestors("..a.b")).toEqual(["..a.b", "..a"]);
    expect(ancestors(".")).toEqual(["."]);
  });
});
