/**
 * The plan of the house as data: which folder may import which, and what the pure folders may use. The lint rules
 * beside this file enforce it; a change of the architecture is a change here.
 */

/** Hold no IO, clock, ambient randomness or promise: the same input always gives the same output. */
export const PURE_FOLDERS: readonly string[] = [
  "lib/core",
  "lib/wire",
  "lib/config",
  "lib/sim",
  "lib/measure",
];

/** Where `Deno` and `Bun` may be named: the one seam to the runtime, and what never ships. */
export const RUNTIME_FOLDERS: readonly string[] = ["lib/system", "scripts", "tests"];

/** Ambient names that a pure folder must not use. */
export const IMPURE_GLOBALS: ReadonlySet<string> = new Set([
  ...[
    "Deno",
    "Bun",
    "globalThis",
    "window",
    "self",
    "global",
    "process",
    "console",
    "crypto",
    "fetch",
    "require",
  ],
  ...["Date", "performance", "Temporal", "queueMicrotask", "Promise", "Worker", "WebSocket"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"],
]);

/** Built-in modules that a pure folder may import, with the folders that may. */
export const PURE_BUILTINS: Readonly<Record<string, readonly string[]>> = {
  "node:buffer": PURE_FOLDERS,
  "node:assert": PURE_FOLDERS,
  "node:assert/strict": PURE_FOLDERS,
  "node:util": PURE_FOLDERS,
  // Hashing only: of messages, and of settings for comparison.
  "node:crypto": ["lib/wire", "lib/config"],
};

/** Packages that a pure folder may import: they compute and do nothing else. */
export const PURE_PACKAGES: readonly string[] = ["yaml", "fastest-levenshtein"];

/** Files that an IO folder offers to the others: the interface it serves. */
const INTERFACES = [
  "lib/media/medium.ts",
  "lib/resources/resource.ts",
  "lib/fencing/fence.ts",
  "lib/arbiters/arbiter.ts",
];
const IO = ["lib/system", "lib/core", "lib/wire", ...INTERFACES];
const SERVICES = ["lib/media", "lib/resources", "lib/fencing", "lib/arbiters"];

/**
 * What each folder may import besides itself and the files directly in `lib/`. A folder that is not listed here
 * (scripts, tests) may import everything; `cli` is for itself and the tests.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // The settings are plain data that everybody reads.
  "lib/wire": ["lib/core/settings.ts"],
  "lib/core": ["lib/wire"],
  "lib/config": ["lib/core", "lib/wire"],
  "lib/sim": ["lib/core", "lib/wire", "lib/config"],
  "lib/system": ["lib/core", "lib/wire"],
  "lib/media": IO,
  "lib/resources": IO,
  "lib/fencing": IO,
  "lib/arbiters": IO,
  "lib/measure": [],
  "lib/probe": ["lib/measure", "lib/config", "lib/media", ...IO],
  "lib/checks": ["lib/config", "lib/measure", ...IO, ...SERVICES],
  "lib/runtime": ["lib/config", "lib/checks", "lib/probe", ...IO, ...SERVICES],
  "lib/drill": ["lib/config", "lib/runtime", ...IO],
  "cli": [
    "lib/runtime",
    "lib/drill",
    "lib/checks",
    "lib/measure",
    "lib/probe",
    "lib/sim",
    "lib/config",
    ...IO,
    ...SERVICES,
  ],
};

/** The folder of the house that a path from the root belongs to: `lib/core`, `cli`, `scripts`…; `lib` for its files. */
export function folderOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "lib" && path.split("/").length > 2 ? `lib/${second}` : first;
}

/** Whether a file may import another; both are paths from the root. */
export function mayImport(from: string, to: string): boolean {
  const [source, target] = [folderOf(from), folderOf(to)];
  if (source === target) return true;
  if (target === "cli") return source === "tests";
  const allowed = MAY_IMPORT[source];
  if (allowed === undefined) return source !== "lib" || target === "lib";
  return target === "lib" || allowed.includes(target) || allowed.includes(to);
}
