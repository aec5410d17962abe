import { type DiagnosticCode, Refusal } from "../diagnostics.js";
import { Omitted } from "../pydantic/metadata.js";
import { SchemaError } from "../pydantic/core.js";
import { PythonError, TooMuchWork } from "../python/values.js";

const PYDANTIC_CODES: Readonly<Record<SchemaError["kind"], DiagnosticCode>> = {
  PydanticSchemaGenerationError: "unsupported_type",
  PydanticInvalidForJsonSchema: "unsupported_type",
  PydanticUserError: "unsupported_type",
  PydanticForbiddenQualifier: "invalid_annotation",
  PydanticUndefinedAnnotation: "undefined_name",
};

/** An error of making schemas as the refusal it is; any other error as it came. */
export function asRefusal(error: unknown, parameter: string | null): unknown {
  const blamed = (error as { parameter?: string }).parameter ?? parameter;
  const subject = blamed === null ? "what the function returns" : `the parameter \`${blamed}\``;
  if (error instanceof SchemaError)
    return new Refusal(
      PYDANTIC_CODES[error.kind],
      `the runtime refuses ${subject}: ${error.message}`,
      blamed,
    );
  if (error instanceof PythonError) {
    const code = error.exception === "NameError" ? "undefined_name" : "invalid_annotation";
    return new Refusal(
      code,
      `the annotation of ${subject} raises ${error.exception}: ${error.message}`,
      blamed,
    );
  }
  if (error instanceof TooMuchWork)
    return new Refusal(
      "too_large",
      `the schema of ${subject} is too large to describe: ${error.message}`,
      blamed,
    );
  if (error instanceof Omitted)
    return new Refusal(
      "unsupported_type",
      `the runtime refuses ${subject}, which is to be left out of the schema`,
      blamed,
    );
  return error;
}

/** Runs `work`, turning errors of making schemas into refusals that name the parameter. */
export function blaming<T>(parameter: string | null, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asRefusal(error, parameter);
  }
}
