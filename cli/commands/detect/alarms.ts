/**
 * Tells whoever is to be told, and remembers it. What could not be told or remembered comes back as sentences: a check
 * must never be silent because a file or a server is broken.
 */

import { readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import {
  type Memory,
  parseMemory,
  quiet,
  remember,
  type Step,
  step,
} from "../../../lib/checks/alarms/memory.ts";
import type { Channel } from "../../../lib/checks/alarms/message.ts";
import { replaceFileBeside } from "../../../lib/system/durable_file.ts";
import type { Outputs } from "./outputs.ts";
import { alarmMessage } from "./message.ts";
import { conditionOf, type Report } from "./report.ts";

export interface Alarms {
  readonly before: Memory;
  readonly step: Step;
  /** The file may be written: it is ours, or there is none yet. */
  readonly isWritable: boolean;
  readonly problems: readonly string[];
}

interface Recalled {
  readonly memory: Memory;
  readonly isWritable: boolean;
  readonly problem: string | null;
}

/** Without a state file every run that is not well is told as if it were the first. */
export async function recall(report: Report, outputs: Outputs, nowMs: number): Promise<Alarms> {
  const { memory, isWritable, problem } = await readMemory(outputs.stateFile);
  const next = step(memory, conditionOf(report), nowMs, outputs.repeatMs, Object.keys(channelsOf(outputs)));
  return { before: memory, step: next, isWritable, problems: problem === null ? [] : [problem] };
}

/** Answers what did not work. Ends within the limit. */
export async function tell(
  report: Report,
  outputs: Outputs,
  alarms: Alarms,
  nowMs: number,
  limitMs: number,
): Promise<string[]> {
  const { occasion, tell: names, sinceMs } = alarms.step;
  const channels = channelsOf(outputs);
  // What is still owed after the end is the news of the end.
  const message = alarmMessage(report, occasion === "none" ? "over" : occasion, sinceMs, hostname());
  const failures = new Map<string, string>();
  await Promise.all(names.map(async (name) => {
    if (name === "command" && message.severity !== "critical") return;
    const channel: Channel = await channels[name]!();
    const failure = await channel(message, limitMs);
    if (failure !== null) failures.set(name, failure);
  }));
  const problems = [...failures.values()];
  if (outputs.stateFile !== null && alarms.isWritable) {
    const memory = remember(alarms.before, alarms.step, conditionOf(report), nowMs, [...failures.keys()]);
    const problem = await writeMemory(outputs.stateFile, memory);
    if (problem !== null) problems.push(problem);
  }
  return problems;
}

type ChannelLoader = () => Promise<Channel>;

function channelsOf({ onCritical, mail, webhook }: Outputs): Record<string, ChannelLoader> {
  const channels: Record<string, ChannelLoader> = {};
  if (onCritical !== null) {
    channels["command"] = async () =>
      (await import("../../../lib/checks/alarms/command.ts")).commandChannel(onCritical);
  }
  if (mail !== null) {
    channels["mail"] = async () => (await import("../../../lib/checks/alarms/mail.ts")).mailChannel(mail);
  }
  if (webhook !== null) {
    channels["webhook"] = async () =>
      (await import("../../../lib/checks/alarms/webhook.ts")).webhookChannel(webhook);
  }
  return channels;
}

/** What every memory of ours begins with, also one that a crash has cut short. */
const beginOfMemory = '{"schema":';

/** A file that is none of ours is left as it is: a slip of the pen must not cost a configuration, or /dev/null. */
async function readMemory(path: string | null): Promise<Recalled> {
  if (path === null) return { memory: quiet, isWritable: false, problem: null };
  const refused = (why: string, next: string): Recalled => ({
    memory: quiet,
    isWritable: false,
    problem: `Cannot use --state "${path}": ${why}; every run alarms; ${next}`,
  });
  try {
    if (!(await stat(path)).isFile()) return refused("it is no ordinary file", "name another file");
    const text = await readFile(path, "utf8");
    const memory = parseMemory(text);
    if (memory !== null) return { memory, isWritable: true, problem: null };
    const isOurs = text.trim() === "" || text.startsWith(beginOfMemory) || beginOfMemory.startsWith(text);
    if (!isOurs) return refused("it holds something else, and is left as it is", "name another file");
    const problem = `Cannot use what --state "${path}" holds: it is damaged; it is begun anew`;
    return { memory: quiet, isWritable: true, problem };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT") return { memory: quiet, isWritable: true, problem: null };
    return refused(`it cannot be read (${code ?? error})`, "make it readable, or name another file");
  }
}

async function writeMemory(path: string, memory: Memory): Promise<string | null> {
  try {
    await replaceFileBeside(path, new TextEncoder().encode(JSON.stringify(memory) + "\n"));
    return null;
  } catch (error) {
    const { code } = error as { code?: string };
    return `Cannot write --state "${path}": ${code ?? error}; its directory must exist and be writable`;
  }
}
