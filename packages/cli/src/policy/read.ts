import { namespace as namespaceSchema } from "@sluice/contracts";
import { PolicyError } from "@sluice/policy-documents";
import { type LoadedPolicy, loadPolicy, type Policy, policyFor } from "@sluice/python-analysis";
import { visible } from "@sluice/report-formats";
import { fileError } from "../files/failure.js";
import { UsageError } from "../usage-error.js";

/**
 * The policy that scripts of a namespace are judged by.
 *
 * @param file - the policy that comes with Sluice if not said
 * @throws UsageError that names every mistake
 */
export async function readPolicy(file: string | undefined, namespace: string): Promise<Policy> {
  const named = namespaceSchema.safeParse(namespace);
  if (!named.success)
    throw new UsageError(
      `the namespace ${visible(namespace)} ${named.error.issues[0]?.message ?? "is wrong"}`,
    );
  try {
    return policyFor((await loadPolicy(file)).document, named.data);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw unreadable(file, error);
    const lines = linesOf(error).map((line) => `\n  ${line}`);
    throw new UsageError(`the policy ${visible(file ?? "")} cannot be used:${lines.join("")}`);
  }
}

/**
 * A policy from a file with every mistake in it.
 *
 * @throws UsageError where the file cannot be read
 */
export async function tryPolicy(
  file: string,
): Promise<
  | { readonly policy: LoadedPolicy; readonly mistakes?: undefined }
  | { readonly policy?: undefined; readonly mistakes: readonly string[] }
> {
  try {
    return { policy: await loadPolicy(file) };
  } catch (error) {
    if (error instanceof PolicyError) return { mistakes: linesOf(error) };
    throw unreadable(file, error);
  }
}

function linesOf(error: PolicyError): string[] {
  return error.message.split("\n").map(visible);
}

function unreadable(file: string | undefined, error: unknown): UsageError {
  return new UsageError(
    `the policy ${visible(file ?? "")} cannot be used: ${fileError(error).message}`,
  );
}
