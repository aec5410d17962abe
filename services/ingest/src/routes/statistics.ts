import {
  readDailyStatistics,
  readNamespaceStatistics,
  readStatistics as querySums,
} from "@sluice/catalog";
import type { DailyStatistics, NamespaceStatistics, StatisticsAnswer } from "@sluice/contracts";
import { z } from "zod";
import type { Dependencies } from "../dependencies.js";
import { decodeCursor, encodeCursor } from "../http/cursor.js";
import { route, type Route } from "../http/route.js";
import { sendTable } from "../http/table.js";
import { daysOf, everyDay, lastDays } from "./days.js";
import { ROW_COLUMNS, toCells, toMeasures, toRow, toTotals } from "./statistics-shapes.js";

const DAYS = 30;

export function readStatistics({ catalog }: Dependencies): Route {
  return route("readStatistics", async ({ query, req, res }) => {
    const days = daysOf(query);
    const { namespace } = query;
    const found = await querySums(catalog, { namespace, days });
    const totals = toTotals(found, namespace !== undefined);
    const body: StatisticsAnswer = {
      as_of: found.asOf.toISOString(),
      from: days?.from ?? null,
      to: days?.to ?? null,
      namespace: namespace ?? null,
      ...totals,
    };
    sendTable({ req, res }, body, ["measure", "value"], () => toMeasures(totals));
  });
}

export function listDailyStatistics({ catalog }: Dependencies): Route {
  return route("listDailyStatistics", async ({ query, req, res }) => {
    const days = daysOf(query) ?? lastDays(DAYS);
    const { namespace } = query;
    const { asOf, items: found } = await readDailyStatistics(catalog, { namespace, days });
    const byDay = new Map(found.map((item) => [item.day, item]));
    const items = everyDay(days).map((day) => {
      const item = byDay.get(day);
      const blobs = namespace === undefined ? (item?.blobs ?? { bytes: 0, storedBytes: 0 }) : null;
      return {
        day,
        ...toRow(item),
        unique_bytes: blobs?.bytes ?? null,
        stored_bytes: blobs?.storedBytes ?? null,
      };
    });
    const body: DailyStatistics = {
      as_of: asOf.toISOString(),
      namespace: namespace ?? null,
      items,
    };
    sendTable({ req, res }, body, ["day", ...ROW_COLUMNS, "unique_bytes", "stored_bytes"], () =>
      items.map((item) => [item.day, ...toCells(item), item.unique_bytes, item.stored_bytes]),
    );
  });
}

const position = z.string().min(1);

export function listNamespaceStatistics({ catalog }: Dependencies): Route {
  return route("listNamespaceStatistics", async ({ query, req, res }) => {
    const { cursor, limit, ...asked } = query;
    const days = daysOf(asked);
    const page = await readNamespaceStatistics(catalog, {
      days,
      after: cursor === undefined ? undefined : decodeCursor(cursor, asked, position),
      limit,
    });
    const items = page.items.map(({ namespace, ...found }) => ({ namespace, ...toRow(found) }));
    const next = page.next === undefined ? null : encodeCursor(page.next, asked);
    const body: NamespaceStatistics = {
      as_of: page.asOf.toISOString(),
      from: days?.from ?? null,
      to: days?.to ?? null,
      items,
      next_cursor: next,
    };
    if (next !== null) {
      const { from, to } = asked;
      const params = new URLSearchParams({
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        limit: String(limit),
        cursor: next,
      });
      // RFC 8288: a table has no place for it.
      res.set("Link", `<?${params.toString()}>; rel="next"`);
    }
    sendTable({ req, res }, body, ["namespace", ...ROW_COLUMNS], () =>
      items.map(({ namespace, ...row }) => [namespace, ...toCells(row)]),
    );
  });
}
