/**
 * Reads a configuration from disk together with the facts about this machine that decide what it means. Never throws
 * for what is in, or wrong with, a file: everything becomes a problem, all of them at once.
 */

import { lookup } from "node:dns/promises";
import { readdir, readFile, stat } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Settings } from "../core/settings.ts";
import { processSettings } from "../config/defaults.ts";
import { hostNamesIn } from "../config/ha/settings.ts";
import { filesNamed } from "../config/heartline_yaml.ts";
import {
  type HaFile,
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

export interface LoadRequest {
  /** A heartline.yaml. */
  readonly configFile?: string;
  /** A directory with ha.cf, authkeys and haresources. */
  readonly haDirectory?: string;
  /** Run as this node instead of as what `uname -n` says. */
  readonly nodeOverride?: string;
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
  if (request.haDirectory !== undefined) {
    return await loadHaDirectory(request.haDirectory, request.nodeOverride);
  }
  return await loadYaml(request.configFile ?? standardFile, request.nodeOverride);
}

async function loadYaml(file: string, nodeOverride?: string): Promise<LoadedSettings> {
  const node = (nodeOverride ?? hostname()).toLowerCase();
  const text = await read(file);
  if (typeof text !== "string") return { settings: null, node, problems: [text], files: [file], sources: [] };
  const problems: Problem[] = [];
  const files = [file];
  const named = filesNamed(text);
  let keysFile: LoadContext["keysFile"] = null;
  if (named.keysFile !== null) {
    const path = resolve(dirname(file), named.keysFile);
    files.push(path);
    const keysText = await read(path);
    if (typeof keysText === "string") keysFile = { path, text: keysText };
    else problems.push(keysText);
  }
  const context: LoadContext = {
    ...plainContext(node),
    scripts: await scriptsIn(named.scriptDirectories),
    servicesPort: await servicesPort(),
    ownAddresses: ownAddresses(),
    keysFile,
  };
  const result = settingsFromYaml(text, file, context);
  return await finished(result, problems, node, files);
}

async function loadHaDirectory(directory: string, nodeOverride?: string): Promise<LoadedSettings> {
  const node = (nodeOverride ?? await nodeInfo(directory) ?? hostname()).toLowerCase();
  const [haCf, authkeys, haresources] = await Promise.all(
    ["ha.cf", "authkeys", "haresources"].map(async (name) => {
      const file = join(directory, name);
      const text = await read(file);
      return { file, text };
    }),
  ) as [Attempt, Attempt, Attempt];
  const files = [haCf.file, authkeys.file, haresources.file];
  const problems = [haCf, authkeys, haresources].map(({ text }) => text).filter((text) =>
    typeof text !== "string"
  );
  if (!isRead(haCf)) return { settings: null, node, problems, files, sources: [] };
  const context: LoadContext = {
    ...plainContext(node),
    scripts: await scriptsIn(processSettings.scriptDirectories),
    servicesPort: await servicesPort(),
    ownAddresses: ownAddresses(),
    hostAddresses: await resolved(hostNamesIn(haCf.text)),
  };
  const result = settingsFromHaDirectory(
    {
      haCf,
      authkeys: isRead(authkeys) ? authkeys : null,
      haresources: isRead(haresources) ? haresources : null,
    },
    context,
  );
  return await finished(result, problems, node, files);
}

interface Attempt {
  readonly file: string;
  readonly text: string | Problem;
}

function isRead(attempt: Attempt): attempt is HaFile {
  return typeof attempt.text === "string";
}

/** First line of the file `nodeinfo`, which replaces `uname -n`. */
async function nodeInfo(directory: string): Promise<string | null> {
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

/** Adds what only the disk can tell: files with secrets must be private. */
async function finished(
  result: LoadResult,
  problems: readonly Problem[],
  node: string,
  files: readonly string[],
): Promise<LoadedSettings> {
  const open = await Promise.all(result.secretFiles.map(publicProblem));
  const all = [...problems, ...result.problems, ...open.filter((found) => found !== null)];
  const settings = all.some((found) => found.severity === "error") ? null : result.settings;
  return { settings, node, problems: all, files, sources: result.sources };
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
