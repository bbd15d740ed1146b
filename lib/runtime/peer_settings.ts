/** The settings that a daemon starts with: from its files, with what the command line says instead. */

import type { Problem } from "../config/load.ts";
import type { Settings } from "../core/settings.ts";
import { UsageError } from "../errors.ts";
import { loadSettings } from "./load_settings.ts";

export interface PeerOptions {
  readonly configFile?: string;
  readonly haDirectory?: string;
  readonly node?: string;
  readonly socket?: string;
  readonly stateDirectory?: string;
}

/** Throws a usage error with every error of the configuration in a line of its own. */
export async function readPeerSettings(options: PeerOptions) {
  const loaded = await loadSettings({
    ...(options.configFile === undefined ? {} : { configFile: options.configFile }),
    ...(options.haDirectory === undefined ? {} : { haDirectory: options.haDirectory }),
    ...(options.node === undefined ? {} : { nodeOverride: options.node }),
  });
  if (loaded.settings === null) {
    const what = options.haDirectory ?? loaded.files[0] ?? "the configuration";
    throw new UsageError([
      `Cannot start: the configuration has errors; heartline config check ${what} shows them in place`,
      ...loaded.problems.filter(({ severity }) => severity === "error").map(inOneLine),
    ], 78);
  }
  const { process } = loaded.settings;
  const settings: Settings = {
    ...loaded.settings,
    process: {
      ...process,
      stateDirectory: options.stateDirectory ?? process.stateDirectory,
      controlSocket: options.socket ?? process.controlSocket,
    },
  };
  const warnings = loaded.problems.filter(({ severity }) => severity === "warning");
  return { settings, node: loaded.node, warnings: warnings.map(inOneLine) };
}

function inOneLine({ file, line, column, message }: Problem): string {
  return `${line === 0 ? file : `${file}:${line}:${column}`}: ${message}`;
}
