/** ucarp, addresses put by hand, strangers, and a Heartline pair. */

import { CONFIG_PATH, VIP, writeConfig } from "../../../scripts/lab/config.ts";
import { startUcarp } from "../../../scripts/lab/ucarp.ts";
import { type Course, pairFlags, shell } from "./situation.ts";

const [node1, node2] = [["node1"], ["node2"]];
const both = ["node1", "node2"];

export const ucarp: Course = {
  name: "ucarp",
  needs: ["ucarp", "nft"],
  start: (lab) => {
    for (const node of lab.nodes) startUcarp(lab, node);
  },
  args: (lab, at) => pairFlags(lab, at, "hb0"),
  situations: [
    { name: "healthy", holders: node1, ask: ["node2", "client"].map((at) => ({ at, verdict: "ok" })) },
    {
      name: "the service network is dead between the nodes",
      befall: (lab) => lab.mute("node2", "pub0"),
      holders: both,
      ask: [{ at: "node2", verdict: "critical", cause: "dead-link", says: /link pub0 is dead/ }],
    },
    {
      name: "the standby hears nothing on the service network, and is heard",
      befall: async (lab) => {
        await lab.dropTowards("node2", "pub0");
        await lab.unmute("node2", "pub0");
      },
      holders: both,
      ask: [{ at: "node1", verdict: "critical", cause: "one-way", says: /pub0 is one-way/ }],
    },
    {
      name: "different passwords",
      befall: async (lab) => {
        lab.kill("node2", "SIGTERM");
        await lab.daemon("node2").ended;
        await lab.dropTowards("node2", "pub0", false);
        startUcarp(lab, "node2", { password: "another" });
      },
      holders: both,
      ask: ["node2", "client"].map((at) => ({
        at,
        verdict: "critical",
        cause: "authentication",
        says: /both speak as master of CARP virtual host 7/,
      })),
    },
    {
      name: "just after a legitimate failover",
      befall: async (lab) => {
        lab.kill("node2", "SIGTERM");
        await lab.daemon("node2").ended;
        startUcarp(lab, "node2");
        lab.kill("node1", "SIGTERM");
        await lab.daemon("node1").ended;
      },
      holders: node2,
      ask: [{
        at: "node2",
        args: ["--vip", VIP, "--primary", "10.77.1.1", "--role", "either", "--window", "2s"],
        verdict: "ok",
      }],
    },
  ],
};

export const byHand: Course = {
  name: "an address put by hand",
  needs: [],
  start: (lab) => shell(lab, "node1", `ip addr add ${VIP}/24 dev pub0`),
  args: (lab, at) => pairFlags(lab, at, "hb0"),
  situations: [
    { name: "on one node: healthy", holders: node1, ask: [{ at: "node2", verdict: "ok" }] },
    {
      name: "on both nodes",
      befall: (lab) => shell(lab, "node2", `ip addr add ${VIP}/24 dev pub0`),
      holders: both,
      ask: [{
        at: "node2",
        verdict: "critical",
        cause: "stale-address",
        says: /without any high-availability software/,
        next: /^ip addr del 10\.77\.1\.100\/24 dev pub0$/,
      }],
    },
    {
      name: "at a stranger besides the primary",
      befall: async (lab) => {
        await shell(lab, "node2", `ip addr del ${VIP}/24 dev pub0`);
        await shell(lab, "client", `ip addr add ${VIP}/24 dev br0`);
      },
      holders: node1,
      ask: [{
        at: "node2",
        verdict: "critical",
        cause: "stranger",
        says: /belongs to none of the nodes: a duplicate address/,
        next: /^ip neigh show dev pub0/,
      }],
    },
  ],
};

export const heartlinePair: Course = {
  name: "a Heartline pair",
  needs: ["nft"],
  start: (lab, target) => {
    writeConfig(lab, { deadTimeMs: 3000 });
    for (const node of lab.nodes) lab.start(node, { target });
  },
  args: () => ["--config", CONFIG_PATH, "--window", "4s"],
  situations: [
    { name: "healthy", holders: node1, ask: both.map((at) => ({ at, verdict: "ok" })) },
    {
      name: "just after a handover",
      befall: (lab) => lab.heartline("node2", "source", ["takeover", "web"]),
      holders: node2,
      ask: both.map((at) => ({ at, verdict: "ok" })),
    },
    {
      name: "healthy behind a firewall that lets answers in only",
      befall: async (lab) => {
        const rules = "type filter hook input priority 0; policy drop; ct state established accept; " +
          "meta l4proto { icmp, icmpv6 } accept;";
        for (const node of both) await shell(lab, node, `nft 'table inet guard { chain in { ${rules} }; }'`);
      },
      holders: node2,
      ask: both.map((at) => ({ at, verdict: "ok" })),
    },
    {
      name: "somebody puts the address on the standby by hand",
      befall: (lab) => shell(lab, "node1", `ip addr add ${VIP}/24 dev pub0`),
      holders: both,
      ask: [
        {
          at: "node1",
          verdict: "critical",
          cause: "stale-address",
          says: /although its daemon does not hold group "web"/,
          next: /^ip addr del 10\.77\.1\.100\/24 dev pub0$/,
        },
        {
          at: "node2",
          verdict: "critical",
          cause: "stale-address",
          says: /node1 has 10\.77\.1\.100 although it states/,
          next: /^ssh 10\.77\.\d\.1 ip addr show to 10\.77\.1\.100$/,
        },
      ],
    },
    {
      name: "taken away again: healthy",
      befall: (lab) => shell(lab, "node1", `ip addr del ${VIP}/24 dev pub0`),
      holders: node2,
      ask: both.map((at) => ({ at, verdict: "ok" })),
    },
    {
      name: "a heartbeat link passes one way only, and nothing moves",
      befall: (lab) => lab.dropTowards("node2", "hb0"),
      holders: node2,
      ask: [{ at: "node1", verdict: "ok", cause: "one-way", says: /hb0 is one-way/ }],
    },
  ],
};
