import { CSV_TYPE, type Operation } from "./operation.js";
import { API, NEEDS_CATALOG, ONE_SCRIPT } from "./operation-members.js";
import * as parameters from "./parameters.js";
import { dailyStatistics, namespaceStatistics, scriptUsage, statistics } from "./statistics.js";

const RANGE = `Days are those of UTC, and at most ${parameters.MOST_DAYS} at once. \`Accept: ${CSV_TYPE}\` gives the same as a table.`;

/** Sums, which cost the same however much the catalog holds. */
export const STATISTICS_OPERATIONS = {
  readStatistics: {
    method: "get",
    path: `${API}/stats`,
    tag: "Operations",
    summary: "See how much there is, what it takes, how fast it goes and why it fails",
    description: `Of everything, or of what came and happened on some days. ${RANGE}`,
    query: parameters.statisticsQuery,
    answers: {
      200: {
        description: "Sums",
        content: { "application/json": statistics, [CSV_TYPE]: "text" },
      },
    },
    problems: ["not_acceptable", ...NEEDS_CATALOG],
  },
  listDailyStatistics: {
    method: "get",
    path: `${API}/stats/days`,
    tag: "Operations",
    summary: "See the same day by day",
    description: `The last 30 days where none are said. ${RANGE}`,
    query: parameters.statisticsQuery,
    answers: {
      200: {
        description: "Each day",
        content: { "application/json": dailyStatistics, [CSV_TYPE]: "text" },
      },
    },
    problems: ["not_acceptable", ...NEEDS_CATALOG],
  },
  listNamespaceStatistics: {
    method: "get",
    path: `${API}/stats/namespaces`,
    tag: "Operations",
    summary: "See the same namespace by namespace",
    description: `${RANGE} A table has one page as well; the next one is in its \`Link\`.`,
    query: parameters.namespaceStatisticsQuery,
    answers: {
      200: {
        description: "One page",
        headers: { Link: "`rel=next`, where there is another page" },
        content: { "application/json": namespaceStatistics, [CSV_TYPE]: "text" },
      },
    },
    problems: ["invalid_cursor", "not_acceptable", ...NEEDS_CATALOG],
  },
  readScriptUsage: {
    method: "get",
    path: `${API}/scripts/{id}/usage`,
    tag: "Scripts",
    summary: "See how often a script was downloaded and its metadata read",
    description: `Ever, and on the last 30 days or those that are said. ${RANGE}`,
    params: parameters.scriptPath,
    query: parameters.usageQuery,
    answers: {
      200: {
        description: "How often",
        content: { "application/json": scriptUsage, [CSV_TYPE]: "text" },
      },
    },
    problems: ["not_acceptable", ...ONE_SCRIPT],
  },
} as const satisfies Record<string, Operation>;
