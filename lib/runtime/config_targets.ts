/**
 * What `config check` was asked to look at: each named file or directory becomes one configuration to load. Several
 * files of one ha.d directory belong together, because only together they can be judged.
 */

import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { HaFileKind } from "../config/load.ts";
import { type LoadedSettings, loadHaFile, loadSettings } from "./load_settings.ts";

export interface Target {
  /** For people: `heartline.yaml`, `/etc/ha.d`. */
  readonly name: string;
  load(node: string | null): Promise<LoadedSettings>;
}

const haNames: readonly HaFileKind[] = ["ha.cf", "authkeys", "haresources"];

export async function configTargets(paths: readonly string[]): Promise<Target[]> {
  const targets = new Map<string, Target>();
  for (const path of paths) {
    const target = await targetOf(path, paths);
    if (!targets.has(target.name)) targets.set(target.name, target);
  }
  return [...targets.values()];
}

async function targetOf(path: string, paths: readonly string[]): Promise<Target> {
  const info = await stat(path).catch(() => null);
  if (info?.isDirectory()) {
    const hasYaml = await isFile(join(path, "heartline.yaml")) && !await isFile(join(path, "ha.cf"));
    return hasYaml ? yaml(join(path, "heartline.yaml")) : haDirectory(path);
  }
  const name = basename(path);
  const kind = haNames.find((known) => name === known) ?? haNames.find((known) => name.includes(known));
  if (kind === undefined) return yaml(path);
  const directory = dirname(path);
  // With ha.cf named, and its companions beside it or named too, the whole directory is meant.
  const isNamed = paths.some((other) => dirname(other) === directory && basename(other) === "ha.cf");
  const companions = await Promise.all(haNames.map((other) => isFile(join(directory, other))));
  if (name === kind && isNamed && companions.every(Boolean)) return haDirectory(directory);
  return { name: path, load: () => loadHaFile(kind, path) };
}

function yaml(file: string): Target {
  return {
    name: file,
    load: (node) => loadSettings({ configFile: file, areAgentsAsked: true, ...forNode(node) }),
  };
}

function haDirectory(directory: string): Target {
  return { name: directory, load: (node) => loadSettings({ haDirectory: directory, ...forNode(node) }) };
}

/** With a name given, that node is meant and must be listed. */
function forNode(node: string | null) {
  return node === null ? { isForeignAllowed: true } : { nodeOverride: node };
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then((info) => info.isFile(), () => false);
}
