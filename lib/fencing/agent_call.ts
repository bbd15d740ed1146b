/**
 * Runs an agent of the fence-agents' interface (FenceAgentAPI) once: options as `NAME=VALUE` lines on its standard
 * input, never among its arguments, where every user of the machine could read them. What it prints is kept without
 * the values that may be secret. Its whole process group is ended at its limit.
 */

import { lastLines, type ProcessResult, programDirectories, runProcess } from "../system/process.ts";
import { findScript, isExecutable } from "../system/program_files.ts";

export type AgentAction = "off" | "on" | "status" | "monitor" | "metadata";

export interface AgentProgram {
  /** Name or absolute path. */
  readonly agent: string;
  readonly options: Readonly<Record<string, string>>;
}

export interface AgentCall {
  /** Exit code; `null`: it did not end by itself. */
  readonly code: number | null;
  /** It ran into its limit or crashed: whatever it was to do may have been done. */
  readonly isCutShort: boolean;
  /** Why there is no good exit code, in words. */
  readonly reason: string;
  readonly stdout: string;
  /** The last lines of what it printed, without secrets. */
  readonly output: readonly string[];
  readonly durationMs: number;
}

/** Lines of an agent's output that are kept. */
const outputLinesMax = 8;
const lineLengthMax = 300;

/** Metadata of the longest agents has about 30 kB. */
const outputBytesMax = 256 * 1024;

/** Where an agent is; `null`: nowhere, or it may not be executed. */
export function findAgent(agent: string): string | null {
  if (agent.startsWith("/")) return isExecutable(agent) ? agent : null;
  return findScript(agent, programDirectories());
}

/** `target`: options for one node. */
export async function callAgent(
  program: AgentProgram,
  action: AgentAction,
  target: Readonly<Record<string, string>>,
  limitMs: number,
  abort?: AbortSignal,
): Promise<AgentCall> {
  const result = await runProcess(program.agent, [], {
    limitMs,
    input: agentInput({ ...program.options, ...target, action }),
    outputBytesMax,
    ...abort === undefined ? {} : { abort },
  });
  return {
    code: result.timedOut ? null : result.code,
    isCutShort: result.spawnError === undefined && (result.timedOut || result.code === null),
    reason: abort?.aborted === true
      ? "it was ended to make room for a fencing"
      : reasonOf(program.agent, result, limitMs),
    stdout: result.stdout,
    output: action === "metadata" ? [] : plainLines(result.output, program.options),
    durationMs: result.durationMs,
  };
}

/** Agents strip blanks and one pair of quotes from a value: what has some of its own is put into such a pair. */
export function agentInput(options: Readonly<Record<string, string>>): string {
  return Object.entries(options).map(([name, value]) => {
    const needsQuotes = value !== value.trim() || /^".*"$/.test(value);
    return `${name}=${needsQuotes ? `"${value}"` : value}\n`;
  }).join("");
}

function reasonOf(agent: string, result: ProcessResult, limitMs: number): string {
  if (result.spawnError === "ENOENT") return `there is no "${agent}" on this machine`;
  if (result.spawnError !== undefined) return `"${agent}" cannot be started (${result.spawnError})`;
  if (result.timedOut) return `it was not done after ${Math.round(limitMs / 100) / 10} s and was ended`;
  if (result.code === null) return `it was ended by ${result.signal ?? "a signal"}`;
  return `exit ${result.code}`;
}

/** Options whose values are shown: a place or a name helps to find what is wrong. */
const plainOptions =
  /^(ip|ipaddr|ipport|host|username|login|lanplus|method|cipher|type|tls|.*(wait|timeout|retry).*)$/;

function plainLines(text: string, options: Readonly<Record<string, string>>): string[] {
  return lastLines(withoutSecrets(text, options), outputLinesMax).map((line) => line.slice(0, lineLengthMax));
}

/** Every value that may be secret is replaced by asterisks, whatever its option is called: names can be misspelt. */
export function withoutSecrets(text: string, options: Readonly<Record<string, string>>): string {
  const secrets = Object.entries(options)
    .filter(([name, value]) =>
      !plainOptions.test(name) && value.length >= 3 && !/^(true|yes|off|\d{1,3})$/i.test(value)
    )
    .map(([, value]) => value)
    .toSorted((a, b) => b.length - a.length);
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
}
