import { seconds, setting } from "./setting-declaration.js";
import { type DiskLevel, diskLevel, diskPaths } from "./setting-values.js";

const LEVEL_FORM = "a share, a size, or both: 10%, 20GB or 10%,20GB";

/** The settings of how much room the stores must have. */
export const DISK_SETTINGS = {
  diskLow: setting({
    name: "DISK_LOW",
    default: "10%,10GB",
    description:
      "an alert is given where a store's disk has less than that free; of both the lesser",
    expected: LEVEL_FORM,
    schema: diskLevel,
  }),
  diskLowUntil: setting<DiskLevel | undefined>({
    name: "DISK_LOW_UNTIL",
    default: undefined,
    description: "that much must be free for the alert to end; unset: half as much again",
    expected: LEVEL_FORM,
    schema: diskLevel,
  }),
  diskFull: setting({
    name: "DISK_FULL",
    default: "3%,1GB",
    description:
      "uploads are refused (507) where a store's disk has less than that free; 0%: never",
    expected: LEVEL_FORM,
    schema: diskLevel,
  }),
  diskFullUntil: setting<DiskLevel | undefined>({
    name: "DISK_FULL_UNTIL",
    default: undefined,
    description: "that much must be free for uploads to be taken again; unset: half as much again",
    expected: LEVEL_FORM,
    schema: diskLevel,
  }),
  diskCheckMs: setting({
    name: "DISK_CHECK_SECONDS",
    default: "5",
    description: "time between two looks at the room that the stores have",
    expected: "a whole number of seconds from 1 to 300",
    schema: seconds(1, 300),
  }),
  diskPaths: setting({
    name: "DISK_PATHS",
    default: undefined,
    description:
      "directories whose disks are watched beside those of file:// stores, each with a name: catalog for PostgreSQL's, queue for Redis's, objects and backup for an S3 server's, or another; npm start names its own PostgreSQL's",
    expected:
      "NAME=/DIRECTORY, separated by commas, each name once; commas, blanks and percent signs percent-encoded",
    schema: diskPaths,
  }),
};
