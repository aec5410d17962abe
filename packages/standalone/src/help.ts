import { SETTINGS } from "@sluice/runtime";

/** What `npm start -- --help` prints. */
export function helpText(): string {
  const width = Math.max(...SETTINGS.map(({ name }) => name.length));
  const settings = SETTINGS.map(({ name, default: value, description, expected }) => {
    const about = value === undefined ? description : `${description} (default ${value})`;
    return `  ${name.padEnd(width)}  ${about}\n  ${" ".repeat(width)}  ${expected}`;
  });
  return [
    "Usage: npm start",
    "",
    "Starts Sluice: the API and every worker, each a process of its own. Stores whose URL is not set",
    "are embedded and keep their state in one directory. Ctrl-C stops everything in order.",
    "",
    "Exit code: 0 stopped in order; 1 could not start, or something had to be killed; 2 wrong settings or usage.",
    "",
    "Settings, from the environment:",
    "",
    ...settings,
    "",
  ].join("\n");
}
