/**
 * A real Heartbeat 3 daemon (Debian package `heartbeat`) as the daemon of a laboratory node: what it needs around it,
 * how it is started in the foreground, and its own commands inside the node. The node's private `/etc`, `/var/lib`,
 * `/var/log` and `/run` keep it apart from the machine; nothing in the node can reboot or kill by name.
 */

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { LabDaemon } from "./daemon.ts";
import type { Lab } from "./lab.ts";
import { run } from "./run.ts";

const PROGRAM = "/usr/libexec/heartbeat/heartbeat";
const LOG = "/var/log/ha-log";

/** Lines of ha.cf that the real daemon wants besides those that both read: its log in a file of the node. */
export const heartbeatHaCf = `logfile ${LOG}\ndebugfile /var/log/ha-debug\nuse_logd no`;

/** Why no Heartbeat daemon can be started here; `null`: it can. */
export function heartbeatUnavailable(): string | null {
  return existsSync(PROGRAM) ? null : 'package "heartbeat" is missing';
}

/** Starts the daemon of Heartbeat on a node whose `/etc/ha.d` has been written. SIGTERM stops it cleanly. */
export async function startHeartbeat(lab: Lab, node: string): Promise<LabDaemon> {
  await prepare(lab, node);
  // Its children keep what they inherit open when it is killed: it gets nothing of ours to hold.
  return lab.launch(node, ["sh", "-c", `exec ${PROGRAM} -f </dev/null >/run/heartbeat.out 2>&1`]);
}

/** Ends what a killed daemon left: with its master gone, its readers and writers end by themselves, later. */
export async function killHeartbeatProcesses(lab: Lab, node: string): Promise<void> {
  const script = 'for p in /proc/[0-9]*; do case "$(tr "\\0" " " <$p/cmdline 2>/dev/null)" in heartbeat:*) ' +
    "kill -9 ${p#/proc/};; esac; done";
  await lab.exec(node, ["sh", "-c", script]);
}

/** What the daemon of a node has logged. */
export function heartbeatLog(lab: Lab, node: string): string {
  const path = lab.machine(node).hostPath(LOG);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

export function hbStandby(lab: Lab, node: string, which = "all") {
  return lab.exec(node, ["/usr/share/heartbeat/hb_standby", which]);
}

export function hbTakeover(lab: Lab, node: string, which = "all") {
  return lab.exec(node, ["/usr/share/heartbeat/hb_takeover", which]);
}

export function clStatus(lab: Lab, node: string, ...args: string[]) {
  return lab.exec(node, ["cl_status", ...args]);
}

async function prepare(lab: Lab, node: string): Promise<void> {
  const machine = lab.machine(node);
  const [user, group] = accountIds();
  for (const name of ["", "/rsctmp", "/ccm", "/crm", "/dopd"]) {
    const path = machine.hostPath(`/run/heartbeat${name}`);
    mkdirSync(path, { recursive: true });
    chownSync(path, user, group);
  }
  chmodSync(machine.hostPath("/run/heartbeat"), 0o750);
  mkdirSync(machine.hostPath("/run/resource-agents"), { recursive: true });
  await run("cp", ["-a", "--no-clobber", "/var/lib/heartbeat/.", machine.hostPath("/var/lib/heartbeat/")]);
  // Its scripts look for processes by name: also for those of other laboratories, if they could see them.
  await lab.exec(node, [
    "sh",
    "-c",
    "mountpoint -q /usr/bin/pgrep || mount --bind /bin/false /usr/bin/pgrep",
  ]);
}

/** User and group that the package created. */
function accountIds(): [user: number, group: number] {
  const id = (file: string, name: string) =>
    Number(
      readFileSync(file, "utf8").split("\n").find((line) => line.startsWith(`${name}:`))?.split(":")[2] ?? 0,
    );
  return [id("/etc/passwd", "hacluster"), id("/etc/group", "haclient")];
}
