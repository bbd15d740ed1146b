/** Which fencing devices a command works with: those of a configuration, or one made of flags. */

import { readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { fenceLimitMs } from "../../../lib/config/defaults.ts";
import { type FenceOptions, parseFenceOptions, refusedOption } from "../../../lib/config/fence_options.ts";
import { suggestion } from "../../../lib/config/spelling.ts";
import { isPassword, parseAgent } from "../../../lib/config/yaml/fencing.ts";
import type { FenceDeviceSettings, FencingSettings } from "../../../lib/core/settings.ts";
import { UsageError } from "../../../lib/errors.ts";
import { settingsErrors } from "../../settings_errors.ts";

export interface DeviceFlags {
  readonly config?: string;
  readonly agent?: string;
  readonly option?: readonly string[];
  readonly optionsFile?: string;
  readonly port?: string;
  readonly limit?: number;
  readonly json?: true;
}

export interface SwitchFlags extends DeviceFlags {
  readonly yes?: true;
  readonly force?: true;
}

export interface FencePlan {
  readonly fencing: FencingSettings;
  /** Own name, lower-cased. */
  readonly self: string;
  readonly nodes: readonly string[];
}

/** `node`: which node a device of flags is for. Throws a usage error with all that is wrong. */
export async function readPlan(flags: DeviceFlags, node: string | null): Promise<FencePlan> {
  if (flags.agent !== undefined) return await fromFlags(flags, flags.agent, node);
  const needless = (["optionsFile", "port", "limit"] as const).filter((name) => flags[name] !== undefined);
  if (needless.length > 0 || flags.option !== undefined) {
    throw new UsageError(["Cannot use options of an agent: no agent is named; add --agent NAME"]);
  }
  const { loadSettings, standardFile } = await import("../../../lib/runtime/load_settings.ts");
  const loaded = await loadSettings({ configFile: flags.config, isForeignAllowed: true });
  const file = flags.config ?? standardFile;
  if (loaded.settings === null) throw new UsageError(settingsErrors(loaded.problems), 78);
  const { fencing, nodes } = loaded.settings;
  if (fencing === null) {
    throw new UsageError([
      `Cannot find a fencing device: "${file}" has no section "fencing"; add one, or name an agent with --agent`,
    ], 78);
  }
  return { fencing, self: loaded.node, nodes };
}

/** Refuses a node that no device can fence, with what was probably meant. */
export function refuseUnknownNode({ fencing, nodes }: FencePlan, node: string): void {
  if (fencing.devices.some(({ ports }) => Object.hasOwn(ports, node))) return;
  const known = nodes.includes(node);
  throw new UsageError([
    known
      ? `Cannot reach the power of "${node}": no device can fence it; add it to the "nodes" of one`
      : `Cannot find node "${node}": ${suggestion(node, nodes)}`,
  ]);
}

async function fromFlags(flags: DeviceFlags, agent: string, node: string | null): Promise<FencePlan> {
  const problems: string[] = [];
  const parsed = parseAgent(agent);
  if (!parsed.ok) problems.push(`Cannot use agent "${agent}": ${parsed.message}; ${parsed.hint}`);
  if (node === null) problems.push("Cannot tell which node is meant: name it after the command");
  const options = {
    ...await fromFile(flags.optionsFile, problems),
    ...fromWords(flags.option ?? [], problems),
  };
  if (problems.length > 0) throw new UsageError(problems);
  const device: FenceDeviceSettings = {
    name: agent.split("/").at(-1)!,
    agent,
    ports: { [node!]: flags.port ?? null },
    options,
    limitMs: flags.limit ?? fenceLimitMs,
  };
  const fencing: FencingSettings = { devices: [device], action: "off", delayMs: {}, retryMs: 1000 };
  return { fencing, self: hostname().toLowerCase(), nodes: [node!] };
}

function fromWords(words: readonly string[], problems: string[]): FenceOptions {
  const options: Record<string, string> = {};
  for (const word of words) {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined) {
      problems.push("Cannot read an --option: it is not NAME=VALUE");
      continue;
    }
    const refusal = isPassword(name)
      ? {
        message: `"${name}" on the command line is seen by every user of this machine`,
        hint: "write it into a file and name that with --options-file",
      }
      : name === "port" || name === "plug"
      ? { message: `"${name}" is an option of this command`, hint: "write --port" }
      : refusedOption(name);
    if (refusal !== null) problems.push(`Cannot use --option ${name}: ${refusal.message}; ${refusal.hint}`);
    else Object.defineProperty(options, name, { value, enumerable: true });
  }
  return options;
}

async function fromFile(path: string | undefined, problems: string[]): Promise<FenceOptions> {
  if (path === undefined) return {};
  const [text, info] = await Promise.all([
    readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => error),
    stat(path).catch(() => null),
  ]);
  if (typeof text !== "string") {
    problems.push(`Cannot read "${path}": ${text.code ?? text}; create it, or run as root`);
    return {};
  }
  if (info !== null && (info.mode & 0o044) !== 0) {
    problems.push(`Cannot use "${path}": others may read it; chmod 600 ${path}`);
  }
  const { options, findings } = parseFenceOptions(text, path);
  problems.push(
    ...findings.problems.map(({ line, message, hint }) => `${path}:${line}: ${message}; ${hint}`),
  );
  return options;
}
