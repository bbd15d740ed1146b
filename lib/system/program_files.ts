/**
 * Finds the program behind a name. Decides by name and file type only, runs nothing, and never follows a name out of
 * its directory.
 */

import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";

/** A regular file that we may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The first executable file of that name; `null`: there is none. */
export function findScript(name: string, directories: readonly string[]): string | null {
  if (name.includes("/") || name.startsWith(".")) return null;
  for (const directory of directories) {
    const path = join(directory, name);
    if (isExecutable(path)) return path;
  }
  return null;
}
