import { eventList } from "./events.js";
import { maintenanceList } from "./maintenance.js";
import type { Operation } from "./operation.js";
import { API, NEEDS_CATALOG } from "./operation-members.js";
import * as parameters from "./parameters.js";
import { storageList } from "./storage.js";
import { watchList } from "./watch.js";
import { webhookList } from "./webhooks.js";

/** What operators are told of what runs by itself. */
export const MAINTENANCE_OPERATIONS = {
  listEvents: {
    method: "get",
    path: `${API}/events`,
    tag: "Operations",
    summary: "See what happened that operators are to know of, newest first",
    query: parameters.eventQuery,
    answers: { 200: { description: "One page", content: { "application/json": eventList } } },
    problems: ["invalid_cursor", ...NEEDS_CATALOG],
  },
  listMaintenance: {
    method: "get",
    path: `${API}/maintenance`,
    tag: "Operations",
    summary: "See what the janitor does on its schedule, and how its last runs ended",
    query: parameters.noQuery,
    answers: {
      200: { description: "Every task", content: { "application/json": maintenanceList } },
    },
    problems: NEEDS_CATALOG,
  },
  listStorage: {
    method: "get",
    path: `${API}/storage`,
    tag: "Operations",
    summary: "See how much room each store has, and whether uploads are taken",
    description:
      "Answered while the catalog does not answer, too, with what this process sees itself. A store is looked at every few seconds.",
    query: parameters.noQuery,
    answers: { 200: { description: "Every store", content: { "application/json": storageList } } },
    problems: [],
  },
  listWebhooks: {
    method: "get",
    path: `${API}/webhooks`,
    tag: "Operations",
    summary: "See whom events are sent to, and how that fares",
    query: parameters.noQuery,
    answers: {
      200: { description: "Every endpoint", content: { "application/json": webhookList } },
    },
    problems: NEEDS_CATALOG,
  },
  listWatch: {
    method: "get",
    path: `${API}/watch`,
    tag: "Operations",
    summary: "See how the watched directories fare, and which of their files were refused",
    query: parameters.watchQuery,
    answers: { 200: { description: "One page", content: { "application/json": watchList } } },
    problems: ["invalid_cursor", ...NEEDS_CATALOG],
  },
} as const satisfies Record<string, Operation>;
