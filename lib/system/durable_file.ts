/**
 * Replaces a file as a whole: written beside, synced, renamed, directory synced. A reader sees the old content or the
 * new one, never half of either, whatever is killed and whenever the power goes.
 */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";

const mode = 0o644;

/** Throws the error of node:fs; then the old content is still there. */
export function replaceFile(path: string, content: Uint8Array): void {
  const temporary = besideOf(path);
  try {
    const file = openSync(temporary, "w", mode);
    try {
      for (let done = 0; done < content.length;) done += writeSync(file, content, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** As `replaceFile`, without holding up the event loop. */
export async function replaceFileBeside(path: string, content: Uint8Array): Promise<void> {
  const temporary = besideOf(path);
  try {
    const file = await open(temporary, "w", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** In the same directory, because a rename is atomic within a file system only; of this process alone. */
function besideOf(path: string): string {
  return `${path}.${process.pid}.tmp`;
}
