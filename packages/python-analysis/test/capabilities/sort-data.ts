/**
 * Puts data/capabilities.json in order after it was edited by hand:
 *
 *     npm run sort:capabilities -w packages/python-analysis && npm run format
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type CapabilityData, sortedData } from "./sorted-data.js";

const file = new URL("../../data/capabilities.json", import.meta.url);
const data = JSON.parse(readFileSync(file, "utf8")) as CapabilityData;
writeFileSync(file, `${JSON.stringify(sortedData(data), null, 2)}\n`);
