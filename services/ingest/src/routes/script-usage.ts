import { readScriptUsage as queryUsage } from "@sluice/catalog";
import type { ScriptUsageAnswer } from "@sluice/contracts";
import type { Dependencies } from "../dependencies.js";
import { route, type Route } from "../http/route.js";
import { sendTable } from "../http/table.js";
import { dayBefore, daysOf, everyDay, lastDays } from "./days.js";
import { findScript } from "./find.js";

const DAYS = 30;

export function readScriptUsage({ catalog, useDaysKept }: Dependencies): Route {
  return route("readScriptUsage", async ({ params, query, req, res }) => {
    await findScript(catalog, params.id, res);
    const range = daysOf(query) ?? lastDays(DAYS);
    const usage = await queryUsage(catalog, { scriptId: params.id, ...range });
    const oldest = dayBefore(useDaysKept);
    const byDay = new Map(usage.days.map((each) => [each.day, each]));
    const days = everyDay(range).map((day) => {
      const known = day >= oldest ? 0 : null;
      return {
        day,
        downloads: byDay.get(day)?.downloads ?? known,
        metadata_reads: byDay.get(day)?.metadataReads ?? known,
      };
    });
    const body: ScriptUsageAnswer = {
      script_id: params.id,
      downloads: usage.downloads,
      metadata_reads: usage.metadataReads,
      last_used_at: usage.lastUsedAt?.toISOString() ?? null,
      ...range,
      days_kept: useDaysKept,
      days,
    };
    sendTable({ req, res }, body, ["day", "downloads", "metadata_reads"], () =>
      days.map(({ day, downloads, metadata_reads }) => [day, downloads, metadata_reads]),
    );
  });
}
