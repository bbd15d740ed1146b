/**
 * The demo's stage for root: the laboratory's two nodes and client, a virtual address as the resource.
 *
 * All heartbeats are stopped with a routing rule that refuses UDP to the heartbeat port on both nodes, because
 * nftables may be missing; to the daemons it is what a firewall rule would be.
 */

import { CONFIG_PATH, heartlineYaml, VIP, writeNodeFile } from "../../lab/config.ts";
import type { Target } from "../../lab/daemon.ts";
import { Lab } from "../../lab/lab.ts";
import { ClientPinger, HolderSampler } from "../../lab/samplers.ts";
import { program } from "./program.ts";
import { MARK } from "./sweep.ts";
import {
  askIntervalMs,
  deadTimeMs,
  type Hardware,
  keepaliveMs,
  type ServiceWatch,
  type Stage,
} from "./stage.ts";

const PORT = 694;
/** The client's own address on the service network: outside both nodes, as a router is. */
const REFERENCE = "10.77.1.254";
const RULE = ["pref", "10", "ipproto", "udp", "dport", `${PORT}`, "blackhole"];

export async function buildLabStage(target: Target): Promise<Stage> {
  const lab = await Lab.build({ nodes: 2, links: 2, prefix: MARK });
  try {
    const yaml = heartlineYaml(lab, {
      keepaliveMs,
      deadTimeMs,
      // No daemon is killed here while its node is cut off, and at this deadtime that protection doubles each outage.
      waitForLease: false,
      extra: { cluster: "demo", port: PORT, arbiters: [{ ping: [REFERENCE], "on-unreachable": "release" }] },
    });
    for (const node of lab.nodes) writeNodeFile(lab, node, CONFIG_PATH, yaml, 0o600);
    const canStopHeartbeats = await changeRule(lab, "add") && await changeRule(lab, "del");
    return makeStage(lab, target, canStopHeartbeats);
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}

function makeStage(lab: Lab, target: Target, canStopHeartbeats: boolean): Stage {
  const running = new Set<string>();
  const stop = async (node: string, action: () => Promise<void> | void) => {
    running.delete(node);
    await action();
    await lab.daemon(node).ended;
  };
  const hardware: Hardware = {
    powerOff: (node) => stop(node, () => lab.powerOff(node)),
    powerOn: (node) => lab.powerOn(node),
    cut: (node, link) => lab.cut(node, link),
    heal: (node, link) => lab.heal(node, link),
    isolate: (node) => lab.mute(node, "all"),
    rejoin: (node) => lab.unmute(node, "all"),
    heartbeats: canStopHeartbeats
      ? {
        stop: async () => void await changeRule(lab, "add"),
        pass: async () => void await changeRule(lab, "del"),
      }
      : null,
  };
  return {
    mode: "namespaces",
    introduction: INTRODUCTION,
    links: [...lab.links].reverse(),
    hardware,
    start: (node) => {
      lab.launch(node, program(target, ["peer", "--config", CONFIG_PATH]));
      running.add(node);
    },
    kill: (node) => stop(node, () => lab.kill(node)),
    daemon: (node) => !running.has(node) ? "off" : lab.daemon(node).hasEnded ? "ended" : "running",
    socketPath: (node) => lab.machine(node).hostPath("/run/heartline/heartline.sock"),
    heartline: (node, args) => lab.exec(node, program(target, args)),
    lines: () => lab.lines(),
    watchService: () => watchService(lab),
    destroy: () => lab.destroy(),
  };
}

const INTRODUCTION = [
  "  node1 ━━━━━━━━━ hb0   10.77.2.0/24  private ━━━━━━━━━ node2",
  "     ┗━━━━━━━━┳━━ pub0  10.77.1.0/24  service ━━━━━━━━━━━┛",
  `           client  pings the virtual address ${VIP} every ${askIntervalMs} ms`,
  "",
  "Nodes and client are namespaces of their own; nothing outside them is touched.",
];

function watchService(lab: Lab): ServiceWatch {
  const sampler = new HolderSampler(lab, VIP);
  const pinger = new ClientPinger(lab, VIP, askIntervalMs);
  return {
    holders: () => sampler.sample(),
    timeline: () => sampler.timeline(),
    outageMs: (fromMs, toMs) => pinger.outageMs(fromMs, toMs),
    get lastAnswerAtMs() {
      return pinger.lastReplyAtMs;
    },
    get uncertaintyMs() {
      return pinger.pollGapMaxMs;
    },
    stop: () => {
      pinger.stop();
      sampler.stop();
    },
  };
}

/** On both nodes, as nearly at once as two processes are; `false`: the kernel does not know such rules. */
async function changeRule(lab: Lab, action: "add" | "del"): Promise<boolean> {
  const ended = await Promise.all(lab.nodes.map((node) => lab.exec(node, ["ip", "rule", action, ...RULE])));
  return ended.every(({ code }) => code === 0);
}
