/**
 * Which analyser a report or metadata came from. Results are reused for as long as it stays the same, so it is raised with every
 * change of what they say, or of the facts that are stored with them.
 */
export const ANALYSER_VERSION = "3";

/** Whether facts of an analyser, or of one that scans besides or asks another Python, are facts as this one collects them. */
export function canJudge(analyserVersion: string): boolean {
  return analyserVersion.split("+", 1)[0] === ANALYSER_VERSION;
}

/** The Python whose word a verdict is: that of the pinned Pyodide. */
export const PYTHON_VERSION = "3.14.2";
