import { describe, expect, test } from "vitest";
import {
  DeclaredDependencies,
  inferDependencies,
  isStandardLibrary,
  sourcesOf,
} from "../../src/dependencies/imports.js";
import { parseRequirement } from "../../src/dependencies/requirement.js";
import { collectImports } from "../../src/structure/imports.js";
import { parseModule } from "../../src/structure/parse.js";

const importsOf = async (text: string) => collectImports(await parseModule(text));

test.each([
  ["import os, sys.path, __future__, _io, tomllib, compression.zstd", []],
  ["import numpy, numpy.random; from numpy import array", ["numpy"]],
  [
    "import yaml, cv2, PIL.Image, sklearn, bs4, dateutil.parser",
    ["pyyaml", "opencv-python", "pillow", "scikit-learn", "beautifulsoup4", "python-dateutil"],
  ],
  ["import flask_cors, Foo_Bar", ["flask-cors", "foo-bar"]],
  ["from . import a; from .b import c; from .. import d", []],
  ["from google.cloud import storage, pubsub_v1", ["google-cloud-storage", "google-cloud-pubsub"]],
  ["import google.cloud.bigquery, google.protobuf.message", ["google-cloud-bigquery", "protobuf"]],
  ["from google import genai, auth", ["google-genai", "google-auth"]],
  [
    "from azure.storage.blob import x; import azure.identity",
    ["azure-storage-blob", "azure-identity"],
  ],
  ["import airflow.providers.amazon.aws", ["apache-airflow-providers-amazon"]],
  [
    "import llama_index.llms.openai, llama_index.core, llama_index",
    ["llama-index-llms-openai", "llama-index-core", "llama-index"],
  ],
  ["import rpds, pwnlib, blib2to3, skfuzzy", ["rpds-py", "pwntools", "black", "scikit-fuzzy"]],
  ["import ruamel.yaml, zope.interface", ["ruamel-yaml", "zope-interface"]],
  ["import google, azure, _private", []],
  ["import urllib2, ConfigParser, imp, cgi, distutils.core, test.support, __main__", []],
  [
    "import constructor, toString, __proto__, hasOwnProperty",
    ["constructor", "tostring", "hasownproperty"],
  ],
])("%s needs %j", async (text, distributions) => {
  expect(inferDependencies(await importsOf(text))).toEqual(distributions);
});

describe("an import comes from", () => {
  const declared = new DeclaredDependencies(
    ["PyYAML>=6", "google-cloud-storage", "Foo", "opencv-python-headless"].map(parseRequirement),
  );
  const nowhere = { distribution: null, requirement: null };
  const by = (distribution: string, requirement = distribution) => ({
    origin: "declared",
    distribution,
    requirement,
  });

  test.each([
    ["import os", { origin: "standard_library", ...nowhere }],
    ["from __future__ import annotations", { origin: "standard_library", ...nowhere }],
    ["import yaml", by("pyyaml", "pyyaml>=6")],
    ["import foo.bar", by("foo")],
    ["import cv2", by("opencv-python-headless")],
    ["import imp", { origin: "removed", ...nowhere }],
    ["import six", { origin: "unknown", distribution: "six", requirement: null }],
    ["import _private", { origin: "unknown", ...nowhere }],
    ["from . import os", { origin: "relative", ...nowhere }],
    ["from .yaml import os", { origin: "relative", ...nowhere }],
  ])("%s", async (text, origin) => {
    const [imported] = await importsOf(text);
    expect(sourcesOf(imported!, declared).map((each) => each.origin)).toEqual([origin]);
  });

  test("as many places as its names do", async () => {
    const [imported] = await importsOf(
      "from google.cloud import storage, bigquery as b, storage_v1",
    );
    const sources = sourcesOf(imported!, declared).map(({ names, modules, origin }) => [
      names?.map(({ name }) => name),
      modules,
      origin.origin,
      origin.distribution,
    ]);
    expect(sources).toEqual([
      [
        ["storage", "storage_v1"],
        ["google.cloud.storage", "google.cloud.storage_v1"],
        "declared",
        "google-cloud-storage",
      ],
      [["bigquery"], ["google.cloud.bigquery"], "unknown", "google-cloud-bigquery"],
    ]);
  });
});

test("the standard library is that of the judging Python", () => {
  expect(["os.path", "annotationlib", "msvcrt", "zoneinfo"].every(isStandardLibrary)).toBe(true);
  expect(["distutils", "numpy", "", "OS"].some(isStandardLibrary)).toBe(false);
});
