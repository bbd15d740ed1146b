/**
 * Reads a configuration from disk together with the facts about this machine that decide what it means. Never throws
 * for what is in, or wrong with, a file: everything becomes a problem, all of them at once.
 */

import { lookup } from "node:dns/promises";
import { readdir, readFile, stat } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { dirname, join, resolve } from "node:path";
import { processSettings } from "../config/defaults.ts";
import { hostNamesIn } from "../config/ha/settings.ts";
import { filesNamed } from "../config/heartline_yaml.ts";
import {
  checkHaFile,
  type HaFile,
  type HaFileKind,
  type LoadContext,
  type LoadResult,
  plainContext,
  type Problem,
  settingsFromHaDirectory,
  settingsFromYaml,
  type Source,
} from "../config/load.ts";
import { problem } from "../config/problem.ts";
import { parseAddress } from "../config/text/addresses.ts";
import type { Settings } from "../core/settings.ts";

export interface LoadRequest {
  /** A heartline.yaml. */
  readonly configFile?: string | undefined;
  /** A directory with ha.cf, authkeys and haresources. */
  readonly haDirectory?: string | undefined;
  /** Run as this node instead of as what `uname -n` says. */
  readonly nodeOverride?: string | undefined;
  /** A check on a machine outside the cluster: then the settings are read for no node in particular. */
  readonly isForeignAllowed?: boolean | undefined;
}

export interface LoadedSettings {
  /** `null` exactly when a problem is an error. */
  readonly settings: Settings | null;
  /** Own name, lower-cased. */
  readonly node: string;
  readonly problems: readonly Problem[];
  /** Every file that was read or wanted. */
  readonly files: readonly string[];
  /** Texts to show beside problems; secrets are masked. */
  readonly sources: readonly Source[];
}

/** Where the daemon looks when nothing is named. */
export const standardFile = "/etc/heartline/heartline.yaml";

/** With neither file nor directory: the standard file. */
export async function loadSettings(request: LoadRequest): Promise<LoadedSettings> {
  const { haDirectory, configFile = standardFile, nodeOverride, isForeignAllowed = false } = request;
  const reading = await (haDirectory === undefined ? readYaml(configFile) : readHaDirectory(haDirectory));
  const node = (nodeOverride ?? await nodeInfo(haDirectory) ?? hostname()).toLowerCase();
  const own = { ...await finished(reading, node), node };
  const stranger = own.problems.find((found) => found.code === "node-not-listed");
  if (!isForeignAllowed || stranger === undefined) return own;
  const foreign = await finished(reading, null);
  const hint = "on a node, or with --node NAME, its links and scripts are checked too";
  const message = `checked for no node in particular: ${stranger.message}`;
  return {
    ...foreign,
    node,
    problems: [...foreign.problems, problem("note", stranger, "foreign", message, hint)],
  };
}

/** One file of an ha.d directory by itself. */
export async function loadHaFile(kind: HaFileKind, file: string): Promise<LoadedSettings> {
  const text = await read(file);
  if (typeof text !== "string") return await finished({ files: [file], problems: [text], judge: null }, null);
  const hostAddresses = await resolved(kind === "ha.cf" ? hostNamesIn(text) : []);
  const judge = (context: LoadContext) => checkHaFile(kind, { file, text }, { ...context, hostAddresses });
  return await finished({ files: [file], problems: [], judge }, null);
}

/** What is on disk, to be judged for one node or another. */
interface Reading {
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
  /** `null`: nothing could be read. */
  readonly judge: ((context: LoadContext) => LoadResult) | null;
  readonly scriptDirectories?: readonly string[];
}

async function readYaml(file: string): Promise<Reading> {
  const text = await read(file);
  if (typeof text !== "string") return { files: [file], problems: [text], judge: null };
  const { keysFile: named, scriptDirectories } = filesNamed(text);
  if (named === null) {
    const judge = (context: LoadContext) => settingsFromYaml(text, file, context);
    return { files: [file], problems: [], judge, scriptDirectories };
  }
  const path = resolve(dirname(file), named);
  const keys = await read(path);
  const keysFile = typeof keys === "string" ? { path, text: keys } : null;
  const judge = (context: LoadContext) => settingsFromYaml(text, file, { ...context, keysFile });
  return { files: [file, path], problems: typeof keys === "string" ? [] : [keys], judge, scriptDirectories };
}

async function readHaDirectory(directory: string): Promise<Reading> {
  const attempt = async (name: string): Promise<Attempt> => {
    const file = join(directory, name);
    return { file, text: await read(file) };
  };
  const attempts = await Promise.all([attempt("ha.cf"), attempt("authkeys"), attempt("haresources")]);
  const [haCf, authkeys, haresources] = attempts;
  const files = attempts.map(({ file }) => file);
  const problems = attempts.map(({ text }) => text).filter((text) => typeof text !== "string");
  if (!isRead(haCf)) return { files, problems, judge: null };
  const hostAddresses = await resolved(hostNamesIn(haCf.text));
  const haFiles = {
    haCf,
    authkeys: isRead(authkeys) ? authkeys : null,
    haresources: isRead(haresources) ? haresources : null,
  };
  const judge = (context: LoadContext) => settingsFromHaDirectory(haFiles, { ...context, hostAddresses });
  return { files, problems, judge, scriptDirectories: processSettings.scriptDirectories };
}

interface Attempt {
  readonly file: string;
  readonly text: string | Problem;
}

function isRead(attempt: Attempt): attempt is HaFile {
  return typeof attempt.text === "string";
}

/** First line of the file `nodeinfo` of an ha.d directory, which replaces `uname -n`. */
async function nodeInfo(directory: string | undefined): Promise<string | null> {
  if (directory === undefined) return null;
  const text = await readFile(join(directory, "nodeinfo"), "utf8").catch(() => "");
  return text.split("\n")[0]?.trim() || null;
}

/** Names that do not resolve are missing from the answer. */
async function resolved(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await Promise.all(names.map(async (name) => {
    const address = await lookup(name).then((answer) => parseAddress(answer.address), () => null);
    if (address !== null) found.set(name, address.text);
  }));
  return found;
}

/** Judges what was read, for this machine as `node`, and adds what only the disk can tell. */
async function finished(reading: Reading, node: string | null): Promise<LoadedSettings> {
  const { files, judge } = reading;
  if (judge === null) {
    return { settings: null, node: node ?? "", problems: reading.problems, files, sources: [] };
  }
  const context: LoadContext = {
    ...plainContext(node),
    scripts: node === null ? null : await scriptsIn(reading.scriptDirectories ?? []),
    servicesPort: await servicesPort(),
    ownAddresses: node === null ? new Set() : ownAddresses(),
  };
  const result = judge(context);
  const open = await Promise.all(result.secretFiles.map(publicProblem));
  const problems = [...reading.problems, ...result.problems, ...open.filter((found) => found !== null)];
  const settings = problems.some((found) => found.severity === "error") ? null : result.settings;
  return { settings, node: node ?? "", problems, files, sources: result.sources };
}

async function read(file: string): Promise<string | Problem> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    return unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): Problem {
  const code = (error as NodeJS.ErrnoException).code;
  const [reason, hint] = code === "ENOENT"
    ? ["it does not exist", "create it, or name another file"]
    : code === "EACCES" || code === "EPERM"
    ? ["permission denied", "run as root, or make it readable for this user"]
    : code === "EISDIR"
    ? ["it is a directory", "name the file in it"]
    : [String(code ?? error), "check the file"];
  return problem("error", wholeOf(file), "unreadable", `cannot read the file: ${reason}`, hint);
}

/** Whoever can read the key can take part: refused as Heartbeat does. */
async function publicProblem(file: string): Promise<Problem | null> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o044) === 0) return null;
    const octal = (mode & 0o777).toString(8).padStart(3, "0");
    const message = `the file holds secrets, but its mode ${octal} lets others read it`;
    return problem("error", wholeOf(file), "public-secrets", message, `chmod 600 ${file}`);
  } catch (error) {
    return unreadable(file, error);
  }
}

function wholeOf(file: string) {
  return { file, line: 0, column: 0, length: 0 };
}

/** Names of executable regular files; a directory that does not exist has none. */
async function scriptsIn(directories: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const directory of directories) {
    const names = await readdir(directory).catch(() => [] as string[]);
    for (const name of names) {
      const info = await stat(resolve(directory, name)).catch(() => null);
      if (info?.isFile() && (info.mode & 0o111) !== 0) found.add(name);
    }
  }
  return found;
}

async function servicesPort(): Promise<number | null> {
  const text = await readFile("/etc/services", "utf8").catch(() => "");
  const port = /^ha-cluster[ \t]+(\d+)\/udp\b/m.exec(text)?.[1];
  return port === undefined ? null : Number(port);
}

function ownAddresses(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address } of entries ?? []) {
      const parsed = parseAddress(address.split("%")[0] ?? "");
      if (parsed !== null) found.add(parsed.text);
    }
  }
  return found;
}
