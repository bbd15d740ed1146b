/**
 * How to start this very program again, with other arguments: the compiled binary is its own executable; under Deno or
 * Bun it is the script that runs now.
 */

import process from "node:process";

/** Deno otherwise asks the registry for news of packages. */
const denoFlags = ["run", "--allow-all", "--no-check", "--cached-only"];

export function ownCommand(
  args: readonly string[],
): { readonly file: string; readonly args: readonly string[] } {
  const file = process.execPath;
  const [, script = ""] = process.argv;
  if (process.versions.bun === undefined) return { file, args: [...denoFlags, script, ...args] };
  // Bun gives the entry of a compiled executable a path in a file system of its own.
  return { file, args: script.startsWith("/$bunfs/") ? args : [script, ...args] };
}
