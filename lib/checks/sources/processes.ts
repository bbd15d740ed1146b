/**
 * Which high-availability software runs on this machine, by the names of its processes, and whether it stands still.
 * A process in another network namespace belongs to a container: for the network it is another machine.
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { LocalSoftware } from "../circumstances.ts";

/** Names as the kernel keeps them, cut to 15 characters. */
const known: ReadonlySet<string> = new Set([
  ...["heartbeat", "keepalived", "ucarp", "corosync", "pacemakerd", "vip-manager", "kube-vip"],
]);
/** States of proc(5) in which a process does nothing: stopped by a signal, traced. */
const stoppedStates = ["T", "t"];

export interface LocalProcess {
  readonly name: string;
  readonly pid: number;
  readonly isStopped: boolean;
  /** Its command line. */
  readonly words: readonly string[];
}

export function gatherSoftware(): LocalSoftware[] {
  const processes = localProcesses().map(({ words: _, ...rest }) => rest);
  return [{ kind: "software", source: "processes", subject: "this machine", ageMs: 0, processes }];
}

export function localProcesses(): LocalProcess[] {
  const network = namespaceOf("self");
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    // The name is in parentheses and may hold any character.
    const [, comm = "", state = ""] = /^\d+ \((.*)\) (\S)/.exec(readText(`/proc/${pid}/stat`)) ?? [];
    if (!known.has(comm) && !["heartline", "deno", "bun"].includes(comm)) return [];
    const words = readText(`/proc/${pid}/cmdline`).split("\0");
    const name = known.has(comm) ? comm : isDaemon(words) ? "heartline" : null;
    // Without permission to look, it is taken for one of this machine.
    const own = namespaceOf(pid);
    if (name === null || (own !== null && own !== network)) return [];
    return [{ name, pid: Number(pid), isStopped: stoppedStates.includes(state), words }];
  });
}

/** Heartline's daemon runs under its own name, or as a script of a runtime; its other commands do not count. */
function isDaemon(words: readonly string[]): boolean {
  const program = words.findIndex((word) => /(^|\/)(heartline|cli\/main\.(ts|js))$/.test(word));
  return program >= 0 && words[program + 1] === "peer";
}

function namespaceOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return null;
  }
}

/** A process may end while it is looked at. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
