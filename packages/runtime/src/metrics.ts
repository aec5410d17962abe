import { collectDefaultMetrics, Registry } from "prom-client";

/** What a process tells Prometheus about itself. */
export interface Metrics {
  readonly service: string;
  /** Carries a label `service` on everything in it. Metrics of a service are made in it. */
  readonly registry: Registry;
}

/** A registry that holds the metrics of the process: memory, CPU, event loop, garbage collection. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return { service, registry };
}

/**
 * Puts the metrics of several processes into one answer: the text format allows the samples of a
 * metric once only, together, below one HELP and one TYPE line.
 *
 * @param expositions - answers of `/metrics` in Prometheus's text format 0.0.4
 */
export function mergeMetrics(expositions: readonly string[]): string {
  const families = new Map<string, { about: string[]; samples: string[] }>();
  for (const exposition of expositions) {
    let family: { about: string[]; samples: string[] } | undefined;
    let named = "";
    for (const line of exposition.split("\n")) {
      const about = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      if (about?.[1] !== undefined && about[1] !== named) {
        named = about[1];
        family = families.get(named);
        if (family === undefined) families.set(named, (family = { about: [], samples: [] }));
      }
      if (family === undefined || line === "") continue;
      if (about === null) family.samples.push(line);
      else if (family.about.length < 2 && !family.about.includes(line)) family.about.push(line);
    }
  }
  return [...families.values()]
    .map(({ about, samples }) => [...about, ...samples, ""].join("\n"))
    .join("\n");
}
