import { readFileSync } from "node:fs";
import Ajv from "ajv-draft-04";
import addFormats from "ajv-formats";
import type { Log } from "sarif";

const schema = JSON.parse(
  readFileSync(new URL("fixtures/sarif/sarif-schema-2.1.0.json", import.meta.url), "utf8"),
) as object;
const ajv = new Ajv.default({ allErrors: true, strict: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

/** What is wrong with a log by the official schema, and by what the standard says that no schema can. */
export function sarifProblems(log: Log): string[] {
  // As it is sent: what `undefined` stands for is not there.
  const sent = JSON.parse(JSON.stringify(log)) as Log;
  validate(sent);
  const problems = (validate.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath} ${message}`,
  );
  return [...problems, ...sent.runs.flatMap(runProblems)];
}

/** References that lead nowhere, and rules of the prose (§ of SARIF 2.1.0). */
function runProblems({
  tool,
  artifacts = [],
  taxonomies = [],
  results = [],
  originalUriBaseIds,
}: Log["runs"][number]) {
  const problems: string[] = [];
  const expectThat = (holds: boolean, what: string) => void (holds || problems.push(what));
  const rules = tool.driver.rules ?? [];
  const taxa = taxonomies[0]?.taxa ?? [];
  expectThat(new Set(rules.map(({ id }) => id)).size === rules.length, "a rule twice");
  const uris = artifacts.map(({ location }) => location?.uri);
  expectThat(new Set(uris).size === uris.length, "an artifact twice");
  for (const { location } of artifacts) {
    const { uri = "", uriBaseId } = location ?? {};
    const isRelative = !/^[a-z]+:/i.test(uri);
    expectThat(isRelative === (uriBaseId !== undefined), `base of ${uri} (§3.4.4)`);
    expectThat(!uriBaseId || uriBaseId in (originalUriBaseIds ?? {}), `unknown base of ${uri}`);
    expectThat(!uri.startsWith("//"), `a host in ${uri}`);
  }
  const references = [
    ...results.flatMap((result) => result.taxa ?? []),
    ...rules.flatMap(({ relationships = [] }) => relationships.map(({ target }) => target)),
  ];
  for (const { id, index, toolComponent } of references) {
    expectThat(taxa[index ?? -1]?.id === id, `taxon ${id}`);
    expectThat(toolComponent?.guid === taxonomies[0]?.guid, `component of taxon ${id} (§3.54.2)`);
  }
  for (const {
    ruleId,
    ruleIndex,
    kind = "fail",
    level,
    message,
    locations,
    suppressions,
  } of results) {
    expectThat(rules[ruleIndex ?? -1]?.id === ruleId, `rule of ${ruleId}`);
    expectThat(kind === "fail" || level === "none", `level of ${ruleId} (§3.27.10)`);
    expectThat(suppressions === undefined, `${ruleId} suppressed`);
    const text = message.text ?? "";
    expectThat(!/[{}]/.test(text.replaceAll(/\{\{|\}\}/g, "")), `placeholder in ${text} (§3.11.5)`);
    expectThat(!/\]\(/.test(text), `link in ${text} (§3.11.6)`);
    for (const { physicalLocation } of locations ?? []) {
      const { artifactLocation, region, contextRegion } = physicalLocation ?? {};
      expectThat(
        artifacts[artifactLocation?.index ?? -1]?.location?.uri === artifactLocation?.uri,
        `artifact of ${ruleId}`,
      );
      if (contextRegion) {
        const isLarger =
          (region?.startColumn ?? 1) > 1 && region?.startLine === contextRegion.startLine;
        expectThat(isLarger, `context of ${ruleId} (§3.29.5)`);
      }
    }
  }
  return problems;
}
