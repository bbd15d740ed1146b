/**
 * Files that an operator names for what a command makes. Whether they can be written is known before the work begins,
 * which may take hours; what was found must never be lost for a name with a slip in it.
 */

import { constants } from "node:fs";
import { access, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EnvironmentError } from "../lib/errors.ts";

/** Throws an EnvironmentError when one of these cannot be written. Changes nothing. */
export async function requireWritable(...files: ReadonlyArray<string | undefined>): Promise<void> {
  for (const file of files) {
    if (file === undefined) continue;
    try {
      const info = await stat(file).catch((error) => {
        if (error.code === "ENOENT") return null;
        throw error;
      });
      if (info?.isDirectory() === true) throw Object.assign(new Error(), { code: "EISDIR" });
      await access(info === null ? dirname(file) : file, constants.W_OK);
    } catch (error) {
      throw cannotWrite(file, error);
    }
  }
}

/** Throws an EnvironmentError. */
export async function writeOutput(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "its directory does not exist",
  ENOTDIR: "what should be its directory is a file",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

function cannotWrite(file: string, cause: unknown): EnvironmentError {
  const { code } = cause as { code?: string };
  const reason = reasons[code ?? ""] ?? code ?? String(cause);
  const exitCode = code === "EACCES" ? 77 : 69;
  return new EnvironmentError(`Cannot write "${file}": ${reason}; name another file`, exitCode, { cause });
}
