import { RestoreRefusedError } from "./target.js";

/** Another script has the name by now. */
export class NameTakenError extends RestoreRefusedError {
  constructor(filename: string, scriptId: string | undefined) {
    super(
      `the name ${filename} is that of ${scriptId === undefined ? "another script" : `the script ${scriptId}`} by now: --filename gives another one`,
    );
  }
}
