/**
 * `hb_standby` and `hb_takeover`: orders about whole sets of groups, as Heartbeat has them. Like Heartbeat's they hand
 * the order over and do not wait; unlike them they end with 1 when the daemon refuses it, and say why.
 */

import process from "node:process";
import type { GroupView, NodeView } from "../../lib/core/view.ts";
import { defaultControlSocket } from "../../lib/runtime/control_protocol.ts";
import { withDaemon } from "../control.ts";
import type { DropInAnswer } from "./dropin.ts";
import { logTime } from "./log_line.ts";

type Name = "hb_standby" | "hb_takeover";
type Set = "all" | "foreign" | "local";

const sets = ["all", "foreign", "local", "failback"];
const timeoutMs = 5_000;

export async function moveSet(name: Name, args: readonly string[]): Promise<DropInAnswer> {
  const set = readSet(name, args);
  if (typeof set !== "string") return set;
  const socket = process.env.HEARTLINE_SOCKET ?? defaultControlSocket;
  const kind = name === "hb_standby" ? "standby" : "takeover";
  try {
    return await withDaemon(socket, timeoutMs, async (client) => {
      const groups = chosen(name, (await client.status()).result, set);
      const going = name === "hb_standby" ? `${logTime(new Date())} Going standby [${set}].\n` : "";
      // An empty list would mean all groups.
      if (groups.length === 0) return { stdout: "", stderr: going, exitCode: 0 };
      const { result } = await client.command({ kind, groups }, timeoutMs);
      if (result.accepted) return { stdout: "", stderr: going, exitCode: 0 };
      return { stdout: "", stderr: `${name}: Cannot do ${kind}: ${result.message}\n`, exitCode: 1 };
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { stdout: "", stderr: `${name}: ${why}\n`, exitCode: 1 };
  }
}

/** Groups that the order is about: for standby what runs here, for takeover what does not. */
export function chosen(name: Name, view: NodeView, set: Set): string[] {
  const isOfSet = ({ nodes }: GroupView) => set === "all" || (nodes[0] === view.node) === (set === "local");
  const isHere = ({ state }: GroupView) => state !== "stopped";
  return view.groups.filter((group) =>
    group.nodes.includes(view.node) && isOfSet(group) && isHere(group) === (name === "hb_standby")
  ).map(({ group }) => group);
}

function readSet(name: Name, args: readonly string[]): Set | DropInAnswer {
  const usage = `[${sets.join("|")}]`;
  const wrong = (what: string): DropInAnswer => ({
    stdout: `${what}usage:\n`,
    stderr: `${name} ${usage}\n`,
    exitCode: 1,
  });
  if (args.length > 1) return wrong(`${name}: too many arguments\n`);
  const word = args[0] ?? "all";
  if (word === "--help") return wrong("");
  if (!sets.includes(word)) return wrong(`${name}: wrong resources(${word}).\n`);
  return word === "failback" ? (name === "hb_standby" ? "foreign" : "local") : word as Set;
}
