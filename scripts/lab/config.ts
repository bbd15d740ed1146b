/**
 * Writes the configuration of a laboratory's nodes: `heartline.yaml`, or a directory of Heartbeat's three files.
 * The same text for all nodes unless a test wants otherwise; private (0600), because it holds the key.
 */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { stringify } from "yaml";
import type { Lab } from "./lab.ts";
import { SERVICE_LINK } from "./network.ts";

export const CONFIG_PATH = "/etc/heartline/heartline.yaml";
export const HA_DIRECTORY = "/etc/ha.d";
/** The virtual addresses of the standard group. */
export const VIP = "10.77.1.100";
export const VIP6 = "fd77:1::100";

export interface ConfigOptions {
  /** A fifth of the deadtime unless said. */
  readonly keepaliveMs?: number;
  readonly deadTimeMs?: number;
  readonly initDeadMs?: number;
  /** Links that carry heartbeats; all unless said. */
  readonly links?: readonly string[];
  readonly family?: 4 | 6;
  readonly secret?: string;
  readonly failback?: "on" | "off" | { readonly after: string };
  /** Resources of the group `web`, as in heartline.yaml; the standard address unless said. */
  readonly resources?: readonly unknown[];
  /**
   * Realtime priority, off unless said: all machines of a laboratory share a few processors, and one daemon that
   * compiles itself at that priority would hold up the others, and who watches them, for up to a second.
   */
  readonly realtime?: boolean;
  /** As the product chooses unless said. */
  readonly waitForLease?: boolean;
  /** Further top-level keys of heartline.yaml; they replace what stands here. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

const SECRET = "key-of-the-laboratory";

/** Two runtimes that start on a busy machine may be so far apart; a node that waits for less takes what it finds free. */
const startsMs = 4_000;

/** Text of a heartline.yaml that serves all nodes. */
export function heartlineYaml(lab: Lab, options: ConfigOptions = {}): string {
  const { nodes, network } = lab;
  const deadTimeMs = options.deadTimeMs ?? 1000;
  return stringify({
    cluster: "lab",
    nodes,
    keepalive: `${options.keepaliveMs ?? deadTimeMs / 5}ms`,
    deadtime: `${deadTimeMs}ms`,
    initdead: `${options.initDeadMs ?? Math.max(2 * deadTimeMs, startsMs)}ms`,
    links: (options.links ?? lab.links).map((dev) => ({
      ucast: { dev, peers: nodes.map((node) => network.address(node, dev, options.family ?? 4)) },
    })),
    keys: {
      "sign-with": 1,
      keys: [{ index: 1, method: "sha256", secret: options.secret ?? SECRET }],
    },
    groups: {
      web: {
        nodes,
        failback: options.failback ?? "off",
        ...(options.waitForLease === undefined ? {} : { "wait-for-lease": options.waitForLease }),
        resources: options.resources ?? [{ vip: `${VIP}/24`, dev: SERVICE_LINK }],
      },
    },
    process: { realtime: options.realtime ?? false },
    ...options.extra,
  });
}

/** Writes heartline.yaml for one node or for all. */
export function writeConfig(
  lab: Lab,
  options: ConfigOptions = {},
  nodes: readonly string[] = lab.nodes,
): void {
  for (const node of nodes) writeNodeFile(lab, node, CONFIG_PATH, heartlineYaml(lab, options), 0o600);
}

/** Writes ha.cf, authkeys and haresources for one node or for all: the same pair in Heartbeat's words. */
export function writeHaDirectory(
  lab: Lab,
  options:
    & Pick<ConfigOptions, "keepaliveMs" | "deadTimeMs" | "initDeadMs" | "links" | "secret" | "realtime">
    & {
      readonly failback?: "on" | "off" | "legacy";
      /** Lines of ha.cf that name the media of a node, instead of `ucast` on each link. */
      readonly media?: (node: string) => readonly string[];
      readonly haresources?: string;
      /** Further lines of ha.cf. */
      readonly haCf?: string;
    } = {},
  nodes: readonly string[] = lab.nodes,
): void {
  const deadTimeMs = options.deadTimeMs ?? 1000;
  const haresources = options.haresources ?? `${lab.nodes[0]} IPaddr2::${VIP}/24/${SERVICE_LINK}\n`;
  for (const node of nodes) {
    const peers = lab.nodes.filter((other) => other !== node);
    const haCf = [
      `keepalive ${options.keepaliveMs ?? deadTimeMs / 5}ms`,
      `deadtime ${deadTimeMs}ms`,
      `initdead ${options.initDeadMs ?? Math.max(2 * deadTimeMs, startsMs)}ms`,
      "udpport 694",
      ...(options.media?.(node) ??
        (options.links ?? lab.links).flatMap((link) =>
          peers.map((peer) => `ucast ${link} ${lab.network.address(peer, link)}`)
        )),
      `auto_failback ${options.failback ?? "off"}`,
      `node ${lab.nodes.join(" ")}`,
      `realtime ${options.realtime ?? false ? "on" : "off"}`,
      ...(options.haCf === undefined ? [] : [options.haCf]),
    ];
    writeNodeFile(lab, node, `${HA_DIRECTORY}/ha.cf`, `${haCf.join("\n")}\n`);
    writeNodeFile(
      lab,
      node,
      `${HA_DIRECTORY}/authkeys`,
      `auth 1\n1 sha1 ${options.secret ?? "lab-key"}\n`,
      0o600,
    );
    writeNodeFile(lab, node, `${HA_DIRECTORY}/haresources`, haresources);
  }
}

/** Writes a file that one node sees under `path`. */
export function writeNodeFile(lab: Lab, node: string, path: string, text: string, mode = 0o644): void {
  const file = lab.machine(node).hostPath(path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
  // An existing file keeps its mode otherwise.
  chmodSync(file, mode);
}
