/** A version as PEP 440 has it, as far as comparing it with a final release needs. */
interface Version {
  readonly epoch: number;
  readonly release: readonly number[];
  /** Where it stands beside the final release with the same numbers: before it, at it, behind it. */
  readonly stage: -1 | 0 | 1;
  readonly hasLocal: boolean;
}

const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)([-_.]?(?:alpha|beta|preview|pre|rc|a|b|c)[-_.]?\d*)?(-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(\+.*)?$/i;

/**
 * Whether a final release, such as `3.14.2`, satisfies version specifiers such as `>=3.12,<4`.
 *
 * @param specifier - as `parseVersionSpecifier` gives it
 * @see https://packaging.python.org/en/latest/specifications/version-specifiers/
 */
export function satisfies(release: string, specifier: string): boolean {
  if (specifier === "") return true;
  const numbers = numbersOf(release);
  return specifier.split(",").every((clause) => {
    const [, operator, wanted] = /^(===|~=|==|!=|<=|>=|<|>)(.*)$/.exec(clause) ?? [];
    if (operator === undefined || wanted === undefined) return false;
    return operator === "===" ? wanted === release : holds(numbers, operator, wanted);
  });
}

function holds(release: readonly number[], operator: string, wanted: string): boolean {
  const isPrefix = wanted.endsWith(".*");
  const version = parseVersion(isPrefix ? wanted.slice(0, -2) : wanted);
  if (!version) return false;
  const order = compare(release, version);
  switch (operator) {
    case "==":
      return isPrefix ? startsWith(release, version) : order === 0 && !version.hasLocal;
    case "!=":
      return !(isPrefix ? startsWith(release, version) : order === 0 && !version.hasLocal);
    case "~=":
      return (
        order >= 0 && startsWith(release, { ...version, release: version.release.slice(0, -1) })
      );
    case "<=":
      return order <= 0;
    case ">=":
      return order >= 0;
    case "<":
      return order < 0;
    default:
      return order > 0;
  }
}

function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (!match) return undefined;
  const [, epoch, release, pre, post, dev, local] = match;
  const isBefore = pre !== undefined || (dev !== undefined && post === undefined);
  return {
    epoch: Number(epoch ?? 0),
    release: numbersOf(release!),
    stage: isBefore ? -1 : post !== undefined ? 1 : 0,
    hasLocal: local !== undefined,
  };
}

/** How a final release stands to a version: negative before it, positive behind it. */
function compare(release: readonly number[], { epoch, release: other, stage }: Version): number {
  if (epoch > 0) return -1;
  for (let i = 0; i < Math.max(release.length, other.length); i++) {
    const difference = (release[i] ?? 0) - (other[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return -stage;
}

function startsWith(release: readonly number[], prefix: Version): boolean {
  return prefix.epoch === 0 && prefix.release.every((number, i) => (release[i] ?? 0) === number);
}

function numbersOf(release: string): number[] {
  return release.split(".").map(Number);
}
