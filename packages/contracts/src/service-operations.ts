import { z } from "zod";
import type { Operation } from "./operation.js";
import { API, NEEDS_CATALOG } from "./operation-members.js";
import * as parameters from "./parameters.js";
import { readiness } from "./readiness.js";
import { stageList, stageOverview } from "./stages.js";

/** What operators and their machines do. */
export const SERVICE_OPERATIONS = {
  listStages: {
    method: "get",
    path: `${API}/stages`,
    tag: "Stages",
    summary: "See what each stage has to do",
    query: parameters.noQuery,
    answers: {
      200: { description: "Every stage", content: { "application/json": stageList } },
    },
    problems: ["queue_unavailable", ...NEEDS_CATALOG],
  },
  pauseStage: {
    method: "post",
    path: `${API}/stages/{stage}/pause`,
    tag: "Stages",
    summary: "Pause a stage",
    description:
      "All its workers finish what they hold and take nothing more, until it is resumed; work gathers meanwhile. " +
      "It is drained when `jobs.active` is 0.",
    params: parameters.stagePath,
    query: parameters.noQuery,
    answers: {
      200: { description: "The stage now", content: { "application/json": stageOverview } },
    },
    problems: ["unknown_stage", "queue_unavailable", ...NEEDS_CATALOG],
  },
  resumeStage: {
    method: "post",
    path: `${API}/stages/{stage}/resume`,
    tag: "Stages",
    summary: "Resume a stage",
    params: parameters.stagePath,
    query: parameters.noQuery,
    answers: {
      200: { description: "The stage now", content: { "application/json": stageOverview } },
    },
    problems: ["unknown_stage", "queue_unavailable", ...NEEDS_CATALOG],
  },
  livez: {
    method: "get",
    path: "/livez",
    tag: "Service",
    summary: "Whether the process runs",
    query: z.object({}),
    answers: {
      200: {
        description: "It does",
        content: { "application/json": z.object({ status: z.literal("ok") }) },
      },
    },
    problems: [],
    open: true,
  },
  readyz: {
    method: "get",
    path: "/readyz",
    tag: "Service",
    summary: "Whether the process can do its work, and what it lacks",
    query: z.object({}),
    answers: {
      200: {
        description:
          "It can serve. `degraded`: the queue does not answer, and what is uploaded waits for it; or the object store is full, and uploads are refused (507) while everything can be read.",
        content: { "application/json": readiness },
      },
      503: {
        description: "The catalog or the object store does not answer",
        content: { "application/json": readiness },
      },
    },
    problems: [],
    open: true,
  },
  metrics: {
    method: "get",
    path: "/metrics",
    tag: "Service",
    summary: "Figures for Prometheus",
    query: z.object({}),
    answers: {
      200: { description: "Text format 0.0.4", content: { "text/plain": "text" } },
    },
    problems: [],
  },
  openapi: {
    method: "get",
    path: "/openapi.json",
    tag: "Service",
    summary: "This document",
    query: z.object({}),
    answers: {
      200: {
        description: "OpenAPI 3.1",
        content: { "application/json": z.record(z.string(), z.unknown()) },
      },
    },
    problems: [],
    open: true,
  },
} as const satisfies Record<string, Operation>;
