import { createHash } from "node:crypto";
import { isPythonFilename, MAX_FILE_BYTES, uploadQuery } from "@sluice/contracts";
import type { Request, Response } from "express";
import multer, { MulterError, type StorageEngine } from "multer";
import { ClientGoneError, ProblemError } from "../http/problem-error.js";
import { unsupportedContentEncoding } from "../http/problems.js";
import type { HeldBytes, Holding } from "./held-bytes.js";

/** A file as it came. */
export interface UploadedFile {
  /** As it was sent; hostile. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** What the boundaries and headers of a form with one file may take beside the file. */
const FORM_OVERHEAD_BYTES = 64 * 1024;

const LIMITS = {
  fileSize: MAX_FILE_BYTES,
  files: 2,
  // Fields are refused, all of them; these limits are what is read of them before that.
  fields: 4,
  fieldSize: 1_000,
  fieldNameSize: 200,
  fieldNestingDepth: 4,
  fieldArrayIndexLimit: 4,
  parts: 6,
  headerPairs: 20,
} as const;

/**
 * Reads a form with one file into memory, hashing it as it comes. Its bytes count as held until the
 * response is over.
 *
 * @throws {@link ProblemError} for what is wrong with the form, {@link ClientGoneError} where the client
 * went away in the middle
 */
export async function readForm(
  req: Request,
  res: Response,
  held: HeldBytes,
): Promise<UploadedFile> {
  checkEnvelope(req);
  held.checkRoom(Number(req.get("content-length") ?? 0));
  const holding = held.open();
  res.once("close", () => holding.release());

  const parse = multer({
    storage: new HashingMemory(holding),
    limits: LIMITS,
    // Which segment of a path is the name is decided in one place, and not here.
    preservePath: true,
    defParamCharset: "utf8",
    fileFilter(_req, file, callback) {
      if (isPythonFilename(file.originalname)) callback(null, true);
      else callback(unsupportedFileType(file.originalname));
    },
  }).single("file");
  await new Promise<void>((resolve, reject) => {
    parse(req, res, (error: unknown) => {
      if (error === undefined || error === null) resolve();
      else reject(toFormProblem(error, req));
    });
  });

  const file = req.file as HashedFile | undefined;
  const [field] = Object.keys(req.body as object);
  if (field !== undefined && (field !== "file" || file !== undefined)) throw unexpectedField(field);
  if (file === undefined) {
    throw new ProblemError(
      "missing_file",
      field === "file"
        ? "The part named `file` has no file name, so it is a text field. Send `filename=` with it."
        : "The form has no part named `file` with a file name. Try `curl -F file=@script.py`.",
    );
  }
  return { name: file.originalname, bytes: file.buffer, sha256: file.sha256 };
}

function checkEnvelope(req: Request): void {
  const type = req.get("content-type") ?? "";
  if (!/^multipart\/form-data(?:[ \t;]|$)/i.test(type)) {
    throw new ProblemError(
      "unsupported_media_type",
      "Send the script as multipart/form-data, in a part named `file`: `curl -F file=@script.py`.",
      { headers: { Accept: "multipart/form-data" } },
    );
  }
  const coding = req.get("content-encoding") ?? "identity";
  if (coding.toLowerCase() !== "identity") throw unsupportedContentEncoding();
  const length = Number(req.get("content-length") ?? 0);
  if (length > MAX_FILE_BYTES + FORM_OVERHEAD_BYTES) throw fileTooLarge();
}

interface HashedFile extends Express.Multer.File {
  readonly sha256: string;
}

class HashingMemory implements StorageEngine {
  constructor(private readonly holding: Holding) {}

  _handleFile(
    _req: Request,
    file: Express.Multer.File,
    callback: (error?: unknown, info?: Partial<HashedFile>) => void,
  ): void {
    const hash = createHash("sha256");
    const chunks: Buffer[] = [];
    let refused = false;
    file.stream.on("data", (chunk: Buffer) => {
      if (refused) return;
      try {
        this.holding.add(chunk.length);
        hash.update(chunk);
        chunks.push(chunk);
      } catch (error) {
        refused = true;
        chunks.length = 0;
        callback(error);
      }
    });
    file.stream.once("error", (error) => {
      if (!refused) callback(error);
    });
    file.stream.once("end", () => {
      if (refused) return;
      const buffer = Buffer.concat(chunks);
      callback(null, { buffer, size: buffer.length, sha256: hash.digest("hex") });
    });
  }

  _removeFile(
    _req: Request,
    _file: Express.Multer.File,
    callback: (error: Error | null) => void,
  ): void {
    this.holding.release();
    callback(null);
  }
}

function toFormProblem(error: unknown, req: Request): Error {
  if (error instanceof ProblemError) return error;
  if (req.destroyed && !req.complete) return new ClientGoneError();
  if (error instanceof MulterError) return ofMulter(error);
  // busboy throws plain errors, all of them about the form.
  const reason = error instanceof Error ? error.message : String(error);
  return malformed(
    reason === "Malformed part header"
      ? "a part's header is no header, or has control characters in it; in a file name send those as filename*=UTF-8''…"
      : reason,
  );
}

function ofMulter(error: MulterError): ProblemError {
  switch (error.code) {
    case "LIMIT_FILE_SIZE":
      return fileTooLarge();
    case "LIMIT_UNEXPECTED_FILE":
    case "LIMIT_FILE_COUNT":
      return error.field === undefined || error.field === "file"
        ? new ProblemError(
            "repeated_file",
            "The form has more than one file. Send each in a request of its own.",
          )
        : unexpectedField(error.field);
    case "MISSING_FIELD_NAME":
      return malformed("a part has no name");
    default:
      return unexpectedField(error.field);
  }
}

function fileTooLarge(): ProblemError {
  return new ProblemError(
    "file_too_large",
    `A script may have at most ${MAX_FILE_BYTES.toLocaleString("en")} bytes (10 MB).`,
  );
}

function unsupportedFileType(name: string): ProblemError {
  return new ProblemError(
    "unsupported_file_type",
    `The file's name, ${JSON.stringify(name.slice(0, 100))}, ends in neither .py nor .pyw.`,
  );
}

function unexpectedField(field: string | undefined): ProblemError {
  const named = field === undefined ? "" : `, ${JSON.stringify(field.slice(0, 100))},`;
  return new ProblemError(
    "unexpected_field",
    `The form has a field${named} that does not belong there. Send nothing but the part named \`file\`${
      field !== undefined && Object.hasOwn(uploadQuery.shape, field)
        ? `, and ${field} in the query: ?${field}=…`
        : ""
    }.`,
  );
}

function malformed(reason: string): ProblemError {
  return new ProblemError("malformed_multipart", `The form could not be read: ${reason}.`);
}
