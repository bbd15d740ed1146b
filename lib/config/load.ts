/**
 * From configuration texts and facts about the machine to settings, or to everything that is wrong with them. Pure:
 * lib/runtime/load_settings.ts reads the files.
 */

import type { Settings } from "../core/settings.ts";
import { checkSettings } from "./checks.ts";
import type { LoadContext } from "./context.ts";
import { parseAuthKeys } from "./authkeys.ts";
import { type HaFiles, parseHaDirectory } from "./ha/settings.ts";
import { parseHeartlineYaml } from "./heartline_yaml.ts";
import { isError, type Places, type Problem, problem, type Span } from "./problem.ts";
import { nearest } from "./spelling.ts";

export type { HaFile, HaFiles } from "./ha/settings.ts";
export { type LoadContext, plainContext } from "./context.ts";
export type { Place, Problem, Severity } from "./problem.ts";

/** A text that problems point into, safe to show: secrets are masked, offsets unchanged. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

export interface LoadResult {
  /** `null` exactly when a problem is an error. */
  readonly settings: Settings | null;
  readonly problems: readonly Problem[];
  readonly sources: readonly Source[];
  /** Files whose text holds secrets: they must be private. */
  readonly secretFiles: readonly string[];
}

export function settingsFromYaml(text: string, file: string, context: LoadContext): LoadResult {
  const { settings, problems, places, secrets } = parseHeartlineYaml(text, file, context);
  const sources = [{ file, text: masked(text, secrets) }];
  const secretFiles = secrets.length > 0 ? [file] : [];
  if (context.keysFile !== null) {
    const { path, text } = context.keysFile;
    sources.push({ file: path, text: masked(text, parseAuthKeys(text, path).authKeys.secrets) });
    secretFiles.push(path);
  }
  return { ...judged(settings, problems, places, context), sources, secretFiles };
}

export function settingsFromHaDirectory(files: HaFiles, context: LoadContext): LoadResult {
  const { settings, problems, places, secrets } = parseHaDirectory(files, context);
  const { haCf, authkeys, haresources } = files;
  const sources: Source[] = [haCf];
  if (authkeys !== null) sources.push({ file: authkeys.file, text: masked(authkeys.text, secrets) });
  if (haresources !== null) sources.push(haresources);
  const isWhole = authkeys !== null && haresources !== null;
  const result = judged(settings, problems, places, context);
  return {
    ...result,
    settings: isWhole ? result.settings : null,
    sources,
    secretFiles: authkeys ? [authkeys.file] : [],
  };
}

/** Adds what only the whole can tell. Relations are judged only where the parts are sound. */
function judged(
  settings: Settings | null,
  found: readonly Problem[],
  places: Places,
  context: LoadContext,
): { settings: Settings | null; problems: readonly Problem[] } {
  const problems = [...found];
  if (settings !== null) {
    problems.push(...checkOwnNode(settings, places, context));
    const checked = checkSettings(settings, places, context.nodeName);
    // Where a part could not be read, its absence is no finding of its own.
    problems.push(...(found.some(isError) ? checked.filter((other) => !echoes.has(other.code)) : checked));
  }
  const order = new Map(
    [...new Set(problems.map((found) => found.file))].map((file, index) => [file, index]),
  );
  const rank = (found: Problem) => order.get(found.file) ?? 0;
  problems.sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
  return { settings: problems.some(isError) ? null : settings, problems };
}

/** Findings that would only repeat that something could not be read. */
const echoes: ReadonlySet<string> = new Set([
  "no-groups",
  "no-links",
  "empty-group",
  "unprotected",
  "single-link",
  "one-node",
  "partial-link",
]);

function checkOwnNode(settings: Settings, places: Places, context: LoadContext): Problem[] {
  const { nodeName } = context;
  if (nodeName === null || settings.nodes.length === 0 || settings.nodes.includes(nodeName)) return [];
  const near = nearest(nodeName, settings.nodes) ??
    settings.nodes.find((node) => node.split(".")[0] === nodeName.split(".")[0]);
  const hint = near === null || near === undefined
    ? `add it to the nodes, or run as another node with --node NAME`
    : `did you mean "${near}"? The name must be that of "uname -n", or be given with --node NAME`;
  return [
    problem(
      "error",
      places.at("nodes"),
      "node-not-listed",
      `this machine, "${nodeName}", is not one of the nodes`,
      hint,
    ),
  ];
}

/** The text with every secret replaced by as many asterisks, line ends kept. */
export function masked(text: string, secrets: readonly Span[]): string {
  let shown = text;
  for (const { offset, length } of secrets) {
    const end = offset + length;
    shown = shown.slice(0, offset) + shown.slice(offset, end).replaceAll(/[^\r\n]/g, "*") + shown.slice(end);
  }
  return shown;
}
