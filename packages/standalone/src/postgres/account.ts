import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { chownSync, readFileSync, statSync } from "node:fs";
import { StartError } from "../start-error.js";

/*
 * PostgreSQL refuses to run as root. As root, it is run as an unprivileged user that is made if need
 * be. Where that user may not enter the directories on the way to the data or the binaries (a
 * checkout in a home directory with mode 0700), the process is given one capability to do so.
 */

/** A user by number; names are for messages. */
interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** How PostgreSQL's programs are run. */
export interface Account {
  /** Hands a file or directory to the account. */
  own(path: string): void;
  /** Starts a program as the account, out of reach of the terminal's signals. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
}

const NAME = "sluice";

/** PostgreSQL ends, in order, with the process that started it, even where that one was killed. */
const END_WITH_PARENT = ["--pdeathsig", "INT"];

/**
 * Chooses the account, and tries it.
 *
 * @param cluster - PostgreSQL's data directory; where it exists, its owner goes on to run it
 * @param inside - a directory that the account must be able to enter
 * @param initdb - the program that makes a data directory; it looks for the others, too
 * @throws {@link StartError} where nothing works
 */
export function chooseAccount(cluster: string, inside: string, initdb: string): Account {
  const hasSetpriv = worksWithSetpriv();
  if (process.getuid?.() !== 0) {
    return makeAccount(undefined, hasSetpriv ? END_WITH_PARENT : undefined);
  }
  const user = ownerOf(cluster) ?? findUser(NAME) ?? createUser() ?? findUser("nobody");
  if (user === undefined) {
    throw new StartError(
      "PostgreSQL does not run as root, and no unprivileged user was found or could be made: start Sluice as another user",
    );
  }
  const plain = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const ways = hasSetpriv
    ? [
        [...END_WITH_PARENT, ...plain],
        ...capabilities().map((name) => [
          ...END_WITH_PARENT,
          ...plain,
          `--inh-caps=+${name}`,
          `--ambient-caps=+${name}`,
          // Without it access(2), which PostgreSQL asks, does as if there were no capability.
          "--securebits=+no_setuid_fixup",
        ]),
      ]
    : [undefined];
  for (const way of ways) {
    if (canWork(user, way, inside, initdb)) return makeAccount(user, way);
  }
  throw new StartError(
    `PostgreSQL, run as the user ${user.name}, cannot work in ${inside} with the programs beside ${initdb}: set SLUICE_DATA to a directory that this user may enter, or start Sluice as another user than root`,
  );
}

function makeAccount(user: User | undefined, setpriv: readonly string[] | undefined): Account {
  return {
    own(path) {
      if (user !== undefined) chownSync(path, user.uid, user.gid);
    },
    spawn(program, args, options) {
      const command = commandLine(user, setpriv, program, args);
      return spawn(command.program, command.args, {
        ...options,
        ...command.options,
        cwd: "/",
        detached: true,
      });
    },
  };
}

function commandLine(
  user: User | undefined,
  setpriv: readonly string[] | undefined,
  program: string,
  args: readonly string[],
): { program: string; args: readonly string[]; options: { uid?: number; gid?: number } } {
  if (setpriv !== undefined) {
    return { program: "setpriv", args: [...setpriv, "--", program, ...args], options: {} };
  }
  return { program, args, options: user === undefined ? {} : { uid: user.uid, gid: user.gid } };
}

/** util-linux has had all of it since 2.33; other makes of setpriv have less. */
function worksWithSetpriv(): boolean {
  if (process.platform !== "linux") return false;
  return spawnSync("setpriv", [...END_WITH_PARENT, "--", "true"], { stdio: "ignore" }).status === 0;
}

function canWork(
  user: User,
  setpriv: readonly string[] | undefined,
  inside: string,
  initdb: string,
): boolean {
  const script = 'cd "$1" && "$2" --show --pgdata="$1/postgres"';
  const command = commandLine(user, setpriv, "/bin/sh", ["-c", script, "sh", inside, initdb]);
  const { status } = spawnSync(command.program, command.args, {
    ...command.options,
    cwd: "/",
    stdio: "ignore",
  });
  return status === 0;
}

/** The capabilities that open closed directories and that this process has: the smaller one first. */
function capabilities(): string[] {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  const bits = BigInt(`0x${effective ?? "0"}`);
  // capability.h: CAP_DAC_OVERRIDE is 1, CAP_DAC_READ_SEARCH is 2.
  return [
    ...(bits & (1n << 2n) ? ["dac_read_search"] : []),
    ...(bits & (1n << 1n) ? ["dac_override"] : []),
  ];
}

function ownerOf(cluster: string): User | undefined {
  const found = statSync(cluster, { throwIfNoEntry: false });
  if (found === undefined || found.uid === 0) return undefined;
  return { name: `with number ${found.uid}`, uid: found.uid, gid: found.gid };
}

function findUser(name: string): User | undefined {
  const id = (flag: string): number => {
    const { status, stdout } = spawnSync("id", [flag, name], { encoding: "utf8" });
    return status === 0 ? Number(stdout) : 0;
  };
  const uid = id("-u");
  return uid > 0 ? { name, uid, gid: id("-g") } : undefined;
}

/** @returns `undefined` where users cannot be made here: a read-only system, an unknown make of tools */
function createUser(): User | undefined {
  const comment = ["--comment", "Sluice's embedded PostgreSQL"];
  const ways: [string, string[]][] = [
    [
      "useradd",
      [
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
        ...comment,
        NAME,
      ],
    ],
    ["adduser", ["-S", "-D", "-H", NAME]],
  ];
  for (const [program, args] of ways) {
    spawnSync(program, args, { stdio: "ignore" });
    // Looked up in any case: another start may have made it meanwhile.
    const user = findUser(NAME);
    if (user !== undefined) return user;
  }
  return undefined;
}
