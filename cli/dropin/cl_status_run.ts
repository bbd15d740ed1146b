/** `cl_status`: asks the daemon and, for `hbparameter`, reads ha.cf; what is answered is decided in `cl_status.ts`. */

import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { parseHaCf } from "../../lib/config/ha_cf.ts";
import { completeTiming, haDeadTimeMs, udpPort } from "../../lib/config/defaults.ts";
import type { NodeView } from "../../lib/core/view.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { defaultControlSocket } from "../../lib/runtime/control_protocol.ts";
import { version } from "../../lib/version.ts";
import { withDaemon } from "../control.ts";
import { answerClStatus } from "./cl_status.ts";
import type { DropInAnswer } from "./dropin.ts";

const timeoutMs = 5_000;
const haCfPath = "/etc/ha.d/ha.cf";

/** What Heartbeat 3.0.6 says of parameters that ha.cf does not set. */
const defaults: Readonly<Record<string, string>> = {
  autojoin: "none",
  baud: "19200",
  cluster: "linux-ha",
  coredumps: "true",
  crm: "false",
  debug: "0",
  hopfudge: "1",
  msgfmt: "classic",
  pacemaker: "false",
  realtime: "true",
  udpport: String(udpPort),
  uuidfrom: "file",
};

/** Directives that Heartline has no use for and does not keep; asked for, they are told as they were written. */
const unusedHere = ["debugfile", "log_badpack", "logfacility", "syslogmsgfmt", "use_logd"];

export async function clStatus(args: readonly string[]): Promise<DropInAnswer> {
  const view = await viewOrNull();
  const versionText = `heartline ${version}`;
  return answerClStatus(args, {
    view,
    version: versionText,
    parameter: (name) => parameter(name, view, versionText),
  });
}

async function viewOrNull(): Promise<NodeView | null> {
  const socket = process.env.HEARTLINE_SOCKET ?? defaultControlSocket;
  try {
    return await withDaemon(socket, timeoutMs, async (client) => (await client.status()).result);
  } catch (error) {
    if (error instanceof EnvironmentError) return null;
    throw error;
  }
}

function parameter(name: string, view: NodeView | null, versionText: string): string | null {
  if (name === "hbversion") return versionText;
  if (view !== null && name === "keepalive") return `${view.timing.keepaliveMs}ms`;
  if (view !== null && name === "deadtime") return `${view.timing.deadTimeMs}ms`;
  if (view !== null && name === "cluster") return view.cluster;
  if (existsSync(haCfPath)) {
    const text = readFileSync(haCfPath, "utf8");
    const { haCf } = parseHaCf(text, haCfPath);
    const ms = (which: string) => haCf.times.get(which)?.value ?? null;
    const timing = completeTiming({
      keepaliveMs: ms("keepalive"),
      deadTimeMs: ms("deadtime") ?? haDeadTimeMs,
      warnTimeMs: ms("warntime"),
      initDeadMs: ms("initdead"),
    });
    if (name === "warntime") return `${timing.warnTimeMs}ms`;
    if (name === "initdead") return `${timing.initDeadMs}ms`;
    if (name === "deadping") return `${ms("deadping") ?? timing.deadTimeMs}ms`;
    const written = haCf.values.get(name)?.value;
    if (written !== undefined) return written;
    if (unusedHere.includes(name)) {
      const line = new RegExp(`^[ \\t]*${name}[ \\t]+([^#\\r\\n]*)`, "m").exec(text);
      if (line !== null) return line[1]!.trim();
    }
  }
  return Object.hasOwn(defaults, name) ? defaults[name]! : null;
}
