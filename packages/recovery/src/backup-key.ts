import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";

/**
 * A key that exports are encrypted with: 32 bytes.
 *
 * Each object is encrypted by AES-256-GCM with a key of its own, which HKDF-SHA256 (RFC 5869) makes of this one and a salt, so that
 * no two objects share key and nonce. The object's name is authenticated with it: objects cannot take each other's place.
 */
export interface BackupKey {
  /** Eight hexadecimal digits that name the key and tell nothing of it. */
  readonly id: string;
  readonly secret: Buffer;
}

const MAGIC = Buffer.from("SLUICEX1");
const SALT_BYTES = 16;
const NONCE = Buffer.alloc(12);
const TAG_BYTES = 16;
const ID_BYTES = 4;
const HEAD_BYTES = MAGIC.length + ID_BYTES + SALT_BYTES;

/** @param secret - 32 random bytes */
export function backupKey(secret: Buffer): BackupKey {
  const id = createHash("sha256").update("sluice backup key\0").update(secret).digest("hex");
  return { id: id.slice(0, 2 * ID_BYTES), secret };
}

/** The key that an object is encrypted with is not among those that were given. */
export class KeyMissingError extends Error {
  override readonly name = "KeyMissingError";
  constructor(objectKey: string, keyId: string, given: readonly BackupKey[]) {
    const have =
      given.length === 0 ? "no key is given" : `given: ${given.map(({ id }) => id).join(", ")}`;
    super(`${objectKey} is encrypted with the key ${keyId}; ${have}`);
  }
}

/** `"SLUICEX1"`, key id, salt, ciphertext, tag. The nonce is zero, since each salt makes another key. */
export function encrypt(plain: Buffer, objectKey: string, key: BackupKey): Buffer {
  const salt = randomBytes(SALT_BYTES);
  const cipher = createCipheriv("aes-256-gcm", derive(key, salt), NONCE);
  const head = Buffer.concat([MAGIC, Buffer.from(key.id, "hex"), salt]);
  cipher.setAAD(Buffer.concat([head, Buffer.from(objectKey)]));
  return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/**
 * @throws {@link KeyMissingError}; an error that says so where the bytes are not what was encrypted
 */
export function decrypt(bytes: Buffer, objectKey: string, keys: readonly BackupKey[]): Buffer {
  const head = bytes.subarray(0, HEAD_BYTES);
  if (bytes.length < HEAD_BYTES + TAG_BYTES || !head.subarray(0, MAGIC.length).equals(MAGIC))
    throw new Error("it is not encrypted as Sluice encrypts");
  const id = head.subarray(MAGIC.length, MAGIC.length + ID_BYTES).toString("hex");
  const key = keys.find((candidate) => candidate.id === id);
  if (key === undefined) throw new KeyMissingError(objectKey, id, keys);
  const decipher = createDecipheriv(
    "aes-256-gcm",
    derive(key, head.subarray(MAGIC.length + ID_BYTES)),
    NONCE,
  );
  decipher.setAAD(Buffer.concat([head, Buffer.from(objectKey)]));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plain = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
  return Buffer.concat([plain, decipher.final()]);
}

function derive({ secret }: BackupKey, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, "sluice.export/1", 32));
}
