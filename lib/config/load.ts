/**
 * From configuration texts and facts about the machine to settings, or to everything that is wrong with them. Pure:
 * lib/runtime/load_settings.ts reads the files.
 */

import type { Document } from "yaml";
import type { Settings } from "../core/settings.ts";
import { checkKeys, checkSettings } from "./checks.ts";
import { checkAgents } from "./checks/fencing.ts";
import type { LoadContext } from "./context.ts";
import { parseAuthKeys } from "./authkeys.ts";
import { parseFenceOptions } from "./fence_options.ts";
import { type HaFile, type HaFiles, parseHaDirectory } from "./ha/settings.ts";
import { parseHaResources } from "./haresources.ts";
import { parseHeartlineYaml, readHeartline } from "./heartline_yaml.ts";
import { Findings, isError, Places, type Problem, problem, type Span } from "./problem.ts";
import { nearest } from "./spelling.ts";
import { type Value, YamlReader } from "./yaml/reader.ts";

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
  const { settings, problems, places, secrets, isSecret } = parseHeartlineYaml(text, file, context);
  const sources = [{ file, text: masked(text, secrets) }];
  const secretFiles = isSecret ? [file] : [];
  if (context.keysFile !== null) {
    const { path, text } = context.keysFile;
    sources.push({ file: path, text: masked(text, parseAuthKeys(text, path).authKeys.secrets) });
    secretFiles.push(path);
  }
  for (const { path, text } of context.optionFiles.values()) {
    sources.push({ file: path, text: masked(text, parseFenceOptions(text, path).secrets) });
    secretFiles.push(path);
  }
  return { ...judged(settings, problems, places, context), sources, secretFiles };
}

/** Settings that are written as a part of another document, such as a scenario; they may leave out the keys. */
export function settingsFromMapping(
  document: Document,
  root: Value,
  whole: Source,
  context: LoadContext,
): Pick<LoadResult, "settings" | "problems"> {
  const reader = new YamlReader(new Findings(whole.file, whole.text), document);
  const { settings, problems, places } = readHeartline(reader, root, context, true);
  return judged(settings, problems, places, context);
}

export function settingsFromHaDirectory(files: HaFiles, context: LoadContext): LoadResult {
  const { settings, problems, places, secrets } = parseHaDirectory(files, context);
  const { haCf, authkeys, haresources } = files;
  const sources: Source[] = [haCf];
  if (authkeys !== null) sources.push({ file: authkeys.file, text: masked(authkeys.text, secrets) });
  if (haresources !== null) sources.push(haresources);
  const isWhole = authkeys !== null && haresources !== null;
  const result = judged(settings, problems, places, context, isWhole);
  return {
    ...result,
    settings: isWhole ? result.settings : null,
    sources,
    secretFiles: authkeys ? [authkeys.file] : [],
  };
}

export type HaFileKind = "ha.cf" | "authkeys" | "haresources";

/** One file of an ha.d directory by itself, without what only the others could tell. */
export function checkHaFile(kind: HaFileKind, file: HaFile, context: LoadContext): LoadResult {
  switch (kind) {
    case "ha.cf":
      return settingsFromHaDirectory({ haCf: file, authkeys: null, haresources: null }, context);
    case "authkeys": {
      const { authKeys, findings } = parseAuthKeys(file.text, file.file);
      const places = new Places(file.file);
      for (const key of authKeys.keys) places.set(["keys", key.value.index], findings.place(key.span));
      const keys = authKeys.keys.map((key) => key.value);
      const problems = sorted([
        ...findings.problems,
        ...checkKeys({ signWith: 0, keys, allowCrc: false }, places),
      ]);
      const sources = [{ file: file.file, text: masked(file.text, authKeys.secrets) }];
      return { settings: null, problems, sources, secretFiles: [file.file] };
    }
    case "haresources": {
      const { findings } = parseHaResources(file.text, file.file, context);
      return { settings: null, problems: sorted(findings.problems), sources: [file], secretFiles: [] };
    }
  }
}

/** Adds what only the whole can tell. Relations are judged only where the parts are sound and complete. */
function judged(
  settings: Settings | null,
  found: readonly Problem[],
  places: Places,
  context: LoadContext,
  isWhole = true,
): { settings: Settings | null; problems: readonly Problem[] } {
  const problems = [...found];
  if (settings !== null) {
    problems.push(...checkOwnNode(settings, places, context));
    const checked = checkSettings(settings, places, context.nodeName);
    // Where a part could not be read, its absence is no finding of its own.
    const isSound = isWhole && !found.some(isError);
    const isTimingSound = !found.some((other) => isError(other) && unreadCodes.has(other.code));
    problems.push(
      ...checked.filter(({ code }) =>
        (isSound || !echoes.has(code)) && (isTimingSound || !timingCodes.has(code))
      ),
    );
    problems.push(...checkScripts(settings, places, context));
    checkAgents(settings, places, context.agents, (...found) => problems.push(problem(...found)));
  }
  return { settings: problems.some(isError) ? null : settings, problems: sorted(problems) };
}

/** By file in the order of their first problem, then by line; what concerns a file as a whole comes after its lines. */
function sorted(problems: readonly Problem[]): Problem[] {
  const order = new Map(
    [...new Set(problems.map((found) => found.file))].map((file, index) => [file, index]),
  );
  const rank = (found: Problem) => order.get(found.file) ?? 0;
  const line = (found: Problem) => (found.line === 0 ? Number.MAX_SAFE_INTEGER : found.line);
  return problems.toSorted((a, b) => rank(a) - rank(b) || line(a) - line(b) || a.column - b.column);
}

/** Errors after which a time may be missing that the operator did write. */
const unreadCodes: ReadonlySet<string> = new Set(["unknown-key", "unknown-directive", "bad-value"]);
const timingCodes: ReadonlySet<string> = new Set([
  "deadtime-short",
  "initdead-short",
  "warntime-long",
  "warntime-short",
  "lease-short",
  "lease-tight",
  "lease-long",
  "lease-awaited",
]);

/** Findings that would only repeat that something could not be read. */
const echoes: ReadonlySet<string> = new Set([
  "no-groups",
  "no-links",
  "empty-group",
  "unprotected",
  "single-link",
  "one-node-group",
  "one-node",
  "partial-link",
  "unfenced-node",
  "fenced",
  "fence-race",
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

/** A script that is not here now may still come (a mounted disk): no reason to refuse to start. */
function checkScripts(settings: Settings, places: Places, { scripts }: LoadContext): Problem[] {
  if (scripts === null) return [];
  const problems: Problem[] = [];
  for (const group of settings.groups) {
    for (const [index, { spec }] of group.resources.entries()) {
      if (spec.kind !== "ha" || scripts.has(spec.script)) continue;
      const place = places.at("groups", group.name, index);
      const near = nearest(spec.script, scripts);
      const where = settings.process.scriptDirectories.join(" and ");
      const hint = near === null ? `install it there, executable` : `did you mean "${near}"?`;
      problems.push(
        problem("warning", place, "no-script", `there is no script "${spec.script}" in ${where}`, hint),
      );
    }
  }
  return problems;
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
