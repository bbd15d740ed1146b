/**
 * Reads a configuration from disk together with the facts about this machine that decide what it means. Never throws
 * for what is in, or wrong with, a file: everything becomes a problem, all of them at once.
 */

import { lookup } from "node:dns/promises";
import { randomBytes } from "node:crypto";
import { access, constants, readdir, readFile, stat } from "node:fs/promises";
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
import { isError, problem } from "../config/problem.ts";
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
  /** A check by a user who may not read the keys: then the settings are read with a key that fits nobody's. */
  readonly areKeysOptional?: boolean | undefined;
  /** Fence agents are asked what they know, which takes a fraction of a second. */
  readonly areAgentsAsked?: boolean | undefined;
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
  /** The keys are not the cluster's own: nothing may be signed or verified with them. */
  readonly lacksKeys: boolean;
}

/** Where the daemon looks when nothing is named. */
export const standardFile = "/etc/heartline/heartline.yaml";

/** With neither file nor directory: the standard file. */
export async function loadSettings(request: LoadRequest): Promise<LoadedSettings> {
  const { haDirectory, configFile = standardFile, nodeOverride, isForeignAllowed = false } = request;
  const areKeysOptional = request.areKeysOptional === true;
  const reading =
    await (haDirectory === undefined
      ? readYaml(configFile, areKeysOptional)
      : readHaDirectory(haDirectory, areKeysOptional));
  const node = (nodeOverride ?? await nodeInfo(haDirectory) ?? hostname()).toLowerCase();
  const own = { ...await finished(reading, node, request.areAgentsAsked), node };
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

/** A configuration to be judged for any of its nodes, without facts of this machine. */
export interface ForeignConfig {
  readonly files: readonly string[];
  readonly judge: (node: string | null) => LoadResult;
}

/** Reads a heartline.yaml or an ha.d directory for a simulation, where it is nobody's own and its mode is no matter. */
export async function readForSimulation(path: string): Promise<ForeignConfig> {
  const isDirectory = await stat(path).then((info) => info.isDirectory(), () => false);
  const hasHaCf = isDirectory && await stat(join(path, "ha.cf")).then(() => true, () => false);
  const { files, problems, judge } = hasHaCf
    ? await readHaDirectory(path)
    : await readYaml(isDirectory ? join(path, "heartline.yaml") : path);
  return {
    files,
    judge: (node) => {
      const result = judge?.(plainContext(node)) ??
        { settings: null, problems: [], sources: [], secretFiles: [] };
      const all = [...problems, ...result.problems];
      return { ...result, problems: all, settings: all.some(isError) ? null : result.settings };
    },
  };
}

/** What is on disk, to be judged for one node or another. */
interface Reading {
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
  /** `null`: nothing could be read. */
  readonly judge: ((context: LoadContext) => LoadResult) | null;
  readonly lacksKeys?: boolean;
  readonly scriptDirectories?: readonly string[];
  readonly agents?: readonly string[];
}

async function readYaml(file: string, areKeysOptional = false): Promise<Reading> {
  const text = await read(file);
  if (typeof text !== "string") return { files: [file], problems: [text], judge: null };
  const { keysFile: named, optionFiles: optionNames, agents, scriptDirectories } = filesNamed(text);
  const { optionFiles, problems: unread } = await readOptionFiles(file, optionNames, areKeysOptional);
  const optionPaths = optionNames.map((name) => resolve(dirname(file), name));
  if (named === null) {
    const judge = (context: LoadContext) => settingsFromYaml(text, file, { ...context, optionFiles });
    return { files: [file, ...optionPaths], problems: unread, judge, scriptDirectories, agents };
  }
  const path = resolve(dirname(file), named);
  const { text: keys, lacksKeys } = await readKeys(path, areKeysOptional);
  const keysFile = typeof keys === "string" ? { path, text: keys } : null;
  const judge = (context: LoadContext) => settingsFromYaml(text, file, { ...context, keysFile, optionFiles });
  const problems = [...typeof keys === "string" ? [] : [keys], ...unread];
  return { files: [file, path, ...optionPaths], problems, judge, scriptDirectories, agents, lacksKeys };
}

/** `areOptional`: one that this user may not read counts as empty; nothing is fenced then. */
async function readOptionFiles(config: string, names: readonly string[], areOptional: boolean) {
  const optionFiles = new Map<string, { path: string; text: string }>();
  const problems: Problem[] = [];
  for (const name of new Set(names)) {
    const path = resolve(dirname(config), name);
    const text = areOptional && await isDenied(path) ? "" : await read(path);
    if (typeof text === "string") optionFiles.set(name, { path, text });
    else problems.push(text);
  }
  return { optionFiles, problems };
}

async function isDenied(path: string): Promise<boolean> {
  return await access(path, constants.R_OK).then(() => false, (error) => error.code === "EACCES");
}

/** `lacksKeys`: what is answered stands in for a file that this user may not read. */
async function readKeys(path: string, areOptional: boolean) {
  const lacksKeys = areOptional && await isDenied(path);
  const text = lacksKeys ? `auth 1\n1 sha1 ${randomBytes(16).toString("hex")}\n` : await read(path);
  return { text, lacksKeys };
}

async function readHaDirectory(directory: string, areKeysOptional = false): Promise<Reading> {
  const attempt = async (name: string): Promise<Attempt> => {
    const file = join(directory, name);
    return { file, text: await read(file) };
  };
  const keys = await readKeys(join(directory, "authkeys"), areKeysOptional);
  const authkeysAttempt: Attempt = { file: join(directory, "authkeys"), text: keys.text };
  const attempts = await Promise.all([attempt("ha.cf"), authkeysAttempt, attempt("haresources")]);
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
  const { scriptDirectories } = processSettings;
  return { files, problems, judge, scriptDirectories, lacksKeys: keys.lacksKeys };
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
async function finished(
  reading: Reading,
  node: string | null,
  areAgentsAsked = false,
): Promise<LoadedSettings> {
  const { files, judge } = reading;
  if (judge === null) {
    return {
      settings: null,
      node: node ?? "",
      problems: reading.problems,
      files,
      sources: [],
      lacksKeys: false,
    };
  }
  const context: LoadContext = {
    ...plainContext(node),
    scripts: node === null ? null : await scriptsIn(reading.scriptDirectories ?? []),
    agents: areAgentsAsked && node !== null && (reading.agents ?? []).length > 0
      ? await (await import("./agent_facts.ts")).agentFacts(reading.agents!)
      : new Map(),
    servicesPort: await servicesPort(),
    ownAddresses: node === null ? new Set() : ownAddresses(),
  };
  const result = judge(context);
  const open = await Promise.all(result.secretFiles.map(publicProblem));
  const problems = [...reading.problems, ...result.problems, ...open.filter((found) => found !== null)];
  const settings = problems.some((found) => found.severity === "error") ? null : result.settings;
  const lacksKeys = reading.lacksKeys === true;
  return { settings, node: node ?? "", problems, files, sources: result.sources, lacksKeys };
}

/** Far beyond any configuration: a larger one is another file, and would be read and judged for minutes. */
const fileBytesMax = 1_000_000;

async function read(file: string): Promise<string | Problem> {
  const isNone = (reason: string) =>
    problem("error", wholeOf(file), "unreadable", `cannot read the file: ${reason}`, "name another file");
  try {
    const { size } = await stat(file);
    if (size > fileBytesMax) {
      return isNone(`it has ${size} bytes, and a configuration at most ${fileBytesMax}`);
    }
    const text = await readFile(file, "utf8");
    return text.includes("\0") ? isNone("it is no text") : text;
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
