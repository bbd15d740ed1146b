/**
 * Plants a known bug: copies the pure part of the sources to a temporary directory, changes one text in one file,
 * and imports the simulator from there. No production code knows of this. A text that is not found exactly once is an
 * error: then the bug has to be planted anew, not forgotten.
 */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Regime } from "../../lib/sim/explore/plan.ts";

export interface Edit {
  /** Below `lib/`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Mutation extends Edit {
  /** What is wrong then. */
  readonly name: string;
  /** Further lines of defence that must go too, or no run can tell. */
  readonly also?: readonly Edit[];
  /** Where to look: other regimes are passed over, to save time. */
  readonly regime?: Regime;
  /** The first seed that is tried, 1 unless said. From 1 it is found within the limit too, but that takes longer. */
  readonly fromSeed?: number;
}

type Explore = typeof import("../../lib/sim/explore/explore.ts");

const library = fileURLToPath(new URL("../../lib", import.meta.url));
const results = fileURLToPath(new URL("../../dist", import.meta.url));
const parts = ["core", "wire", "config", "sim", "errors.ts"];

/**
 * Hands the explorer of a changed copy to `use`, and a way to load other modules of its simulator; `null` changes
 * nothing. The copy is gone afterwards.
 */
export async function withMutant<T>(
  mutation: Mutation | null,
  use: (explore: Explore, load: (path: string) => Promise<unknown>) => T | Promise<T>,
): Promise<T> {
  // Within the project, so that packages are found from there as well.
  mkdirSync(results, { recursive: true });
  const directory = mkdtempSync(join(results, "mutant-"));
  try {
    for (const part of parts) cpSync(join(library, part), join(directory, part), { recursive: true });
    if (mutation !== null) plant(directory, mutation.name, mutation);
    for (const edit of mutation?.also ?? []) plant(directory, mutation!.name, edit);
    const load = (path: string) => import(pathToFileURL(join(directory, "sim", path)).href);
    return await use(await load("explore/explore.ts") as Explore, load);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function plant(directory: string, name: string, { file, from, to }: Edit): void {
  const path = join(directory, file);
  const source = readFileSync(path, "utf8");
  const pieces = source.split(from);
  assert.equal(
    pieces.length,
    2,
    `${name}: "${from}" occurs ${pieces.length - 1} times in lib/${file}, not once`,
  );
  writeFileSync(path, pieces.join(to));
}
