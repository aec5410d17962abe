import { expect, test } from "vitest";
import { inferDependencies, isStandardLibrary, originsOf } from "../../src/dependencies/imports.js";
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

test("an import comes from somewhere", async () => {
  const declared = ["PyYAML>=6", "google-cloud-storage", "Foo"].map(parseRequirement);
  const text =
    "import os, yaml, foo.bar, imp, six\nfrom . import a\nfrom google.cloud import storage, firestore";
  const origins = (await importsOf(text)).flatMap((each) => originsOf(each, declared));
  expect(origins).toEqual([
    { kind: "standard-library" },
    { kind: "declared", requirement: declared[0] },
    { kind: "declared", requirement: declared[2] },
    { kind: "removed" },
    { kind: "undeclared", distribution: "six" },
    { kind: "relative" },
    { kind: "declared", requirement: declared[1] },
    { kind: "undeclared", distribution: "google-cloud-firestore" },
  ]);
});

test("the standard library is that of the judging Python", () => {
  expect(["os.path", "annotationlib", "msvcrt", "zoneinfo"].every(isStandardLibrary)).toBe(true);
  expect(["distutils", "numpy", "", "OS"].some(isStandardLibrary)).toBe(false);
});
