import { askedBy, CAPABILITY_NAMES } from "@sluice/contracts";
import { expect, test } from "vitest";
import { capabilityMap } from "../src/capabilities/map.js";
import { decodeSource } from "../src/decode.js";
import { DEFAULT_POLICY } from "../src/policy/default.js";
import { buildReport } from "../src/report.js";
import { parseModule } from "../src/structure/parse.js";

async function asked(source: string) {
  const bytes = Buffer.from(source);
  const decoded = decodeSource(bytes);
  if (!decoded.ok) throw new Error("not decoded");
  const verdict = { valid: true, error: null, killed: null };
  const parsed = await parseModule(decoded.text);
  return askedBy(buildReport({ source: bytes, decoded, verdict, parsed, policy: DEFAULT_POLICY }));
}

test("the contracts name every capability that the analyser knows", () => {
  expect([...CAPABILITY_NAMES]).toEqual([...capabilityMap().descriptions.keys()]);
});

test("what a report asks for is known to be complete only where the analyser listed all", async () => {
  const opens = (count: number) => `import os\n${"os.remove(p)\n".repeat(count)}`;
  const capability = { name: "filesystem.delete", references: ["os.remove"] };
  expect(await asked(opens(99))).toMatchObject([{ ...capability, complete: true }]);
  expect(await asked(opens(101))).toMatchObject([{ ...capability, complete: false }]);

  const imports = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => `import ${prefix}${index}\n`).join("");
  expect(await asked(imports(499, "m"))).toHaveLength(499);
  const many = await asked(imports(501, "m"));
  expect(many.filter(({ name }) => name === "*")).toMatchObject([{ complete: false }]);
  const long = "m".repeat(300);
  expect(await asked(`import ${long}\n`)).toMatchObject([{ kind: "import", complete: false }]);
});

test("what is asked survives being stored, whatever the script is called to do", async () => {
  const source =
    'import foo as f\ngetattr(__import__("os"), "rem\\0ove")\ngetattr(f, "\\ud800")()\n';
  for (const { name, references } of await asked(source))
    for (const text of [name, ...references]) expect(text).not.toMatch(/[\0\p{Cs}]/u);
});
