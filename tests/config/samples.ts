/** Configurations for tests: good ones, and a way to spoil them. */

import type { Settings, UcastSettings } from "../../lib/core/settings.ts";
import { type LoadContext, type LoadResult, plainContext, settingsFromYaml } from "../../lib/config/load.ts";

export const goodYaml = `cluster: web
nodes: [node1, node2]
keepalive: 200ms
deadtime: 4s
links:
  - ucast: { dev: hb0, peer: {node1: 10.0.1.1, node2: 10.0.1.2} }
  - ucast: { dev: pub0, peers: [10.0.0.1, 10.0.0.2] }
keys: { sign-with: 1, keys: [{index: 1, method: sha256, secret: a-long-secret}] }
groups:
  web:
    nodes: [node1, node2]
    failback: off
    resources: [ {vip: 10.0.0.9/24, dev: pub0} ]
arbiters: [ { ping: [10.0.0.254], on-unreachable: release } ]
takeover: { delay: 0s, confirm: false }
`;

export const goodHaCf = `keepalive 200ms
deadtime 2
warntime 500ms
initdead 12
udpport 694
ucast hb0 10.77.2.2
ucast pub0 10.77.1.2
auto_failback on
node node1 node2
`;

export const goodAuthKeys = "auth 1\n1 sha1 LabSecret-sha1\n";

export function yaml(text: string, context: Partial<LoadContext> = {}): LoadResult {
  return settingsFromYaml(text, "h.yaml", { ...plainContext("node1"), ...context });
}

/** `line:column severity code`, in order. */
export function marks(result: Pick<LoadResult, "problems">): string[] {
  return result.problems.map(({ line, column, severity, code }) => `${line}:${column} ${severity} ${code}`);
}

/** As `marks`, but only what is wrong. */
export function faults(result: Pick<LoadResult, "problems">): string[] {
  return marks({ problems: result.problems.filter((problem) => problem.severity !== "note") });
}

/** The unicast media of settings, for tests that look at nothing else. */
export function ucastsOf(settings: Settings | null): UcastSettings[] {
  return (settings?.media ?? []).flatMap((medium) => medium.kind === "ucast" ? [medium] : []);
}
