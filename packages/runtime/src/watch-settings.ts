import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { seconds, setting, yesOrNo } from "./setting-declaration.js";
import { commaList, httpUrl, whole } from "./setting-values.js";

const directories = commaList(
  z
    .string()
    .refine((path) => isAbsolute(path) && resolve(path) !== "/")
    .transform((path) => resolve(path)),
);

/** The settings of watched directories. */
export const WATCH_SETTINGS = {
  watchDirs: setting({
    name: "WATCH_DIRS",
    default: undefined,
    description: "directories whose files are uploaded, separated by commas; unset: none",
    expected: "absolute paths of directories other than /, separated by commas",
    schema: directories,
  }),
  watchUploadUrl: setting({
    name: "WATCH_UPLOAD_URL",
    default: "http://127.0.0.1:8080",
    description:
      "the API that the watcher uploads to, with the first of API_KEYS; npm start chooses its own",
    expected: "an http or https URL",
    schema: httpUrl,
  }),
  watchNamespaces: setting({
    name: "WATCH_NAMESPACES",
    default: "true",
    description: "whether the sub-folders of a watched directory become namespaces",
    expected: "true or false",
    schema: yesOrNo,
  }),
  watchIgnore: setting({
    name: "WATCH_IGNORE",
    default: ".*,node_modules/,__pycache__/,*~",
    description:
      "what is left alone in watched directories: patterns as of .gitignore, separated by commas, beside those of the directory's .sluiceignore",
    expected: "patterns separated by commas",
    schema: commaList(z.string()),
  }),
  watchDeleteDirs: setting({
    name: "WATCH_DELETE_DIRS",
    default: undefined,
    description:
      "those of WATCH_DIRS where the script of a deleted file goes to the trash; elsewhere scripts stay",
    expected: "some of WATCH_DIRS, separated by commas",
    schema: directories,
  }),
  watchDeleteGraceMs: setting({
    name: "WATCH_DELETE_GRACE_SECONDS",
    default: "600",
    description: "how long a file must be gone before it is taken for deleted",
    expected: "a whole number of seconds from 0 to 31536000",
    schema: seconds(0, 31_536_000),
  }),
  watchDeleteMaxPercent: setting({
    name: "WATCH_DELETE_MAX_PERCENT",
    default: "20",
    description:
      "where more of a directory's files than this are gone, or all, none is taken for deleted",
    expected: "a whole number from 1 to 100",
    schema: whole(1, 100),
  }),
  watchRenameDirs: setting({
    name: "WATCH_RENAME_DIRS",
    default: undefined,
    description:
      "those of WATCH_DIRS where a script gets the name and namespace that its file is renamed or moved to; elsewhere that makes another script",
    expected: "some of WATCH_DIRS, separated by commas",
    schema: directories,
  }),
  watchSettleMs: setting({
    name: "WATCH_SETTLE_SECONDS",
    default: "2",
    description: "how long a file must not have changed before it is uploaded",
    expected: "a whole number of seconds from 1 to 3600",
    schema: seconds(1, 3_600),
  }),
  watchScanMs: setting({
    name: "WATCH_SCAN_SECONDS",
    default: "300",
    description: "time between two whole scans of a watched directory",
    expected: "a whole number of seconds from 1 to 86400",
    schema: seconds(1, 86_400),
  }),
  watchReport: setting({
    name: "WATCH_REPORT",
    default: "false",
    description: "whether what was refused is listed in .sluice-report.ndjson of the directory",
    expected: "true or false",
    schema: yesOrNo,
  }),
};
