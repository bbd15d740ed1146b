/** keepalived on both nodes: healthy, cut in every way, misconfigured in every way that it does not notice. */

import { startKeepalived } from "../../../scripts/lab/keepalived.ts";
import type { Lab } from "../../../scripts/lab/lab.ts";
import { type Course, pairFlags, shell, signal, untilHeld } from "./situation.ts";

const [node1, node2] = [["node1"], ["node2"]];
const both = ["node1", "node2"];
const fast = { version: 3, intervalSeconds: 0.5 } as const;

async function restart(
  lab: Lab,
  node: string,
  options: Parameters<typeof startKeepalived>[2],
): Promise<void> {
  lab.kill(node, "SIGTERM");
  await lab.daemon(node).ended;
  startKeepalived(lab, node, options);
}

/** The advertisements go over a link of their own, as those of careful people do. */
export const keepalivedLink: Course = {
  name: "keepalived over a private link",
  needs: ["keepalived", "nft"],
  start: (lab) => {
    for (const node of lab.nodes) startKeepalived(lab, node, { ...fast, link: "hb0" });
  },
  args: (lab, at) => pairFlags(lab, at, "hb0"),
  situations: [
    {
      name: "healthy",
      holders: node1,
      ask: ["node1", "node2", "client"].map((at) => ({ at, verdict: "ok" })),
    },
    {
      name: "a firewall rule of the standby drops what the primary says",
      befall: (lab) =>
        shell(
          lab,
          "node2",
          `nft 'table inet guard { chain in { type filter hook input priority 0; iifname "hb0" udp dport 694 accept; ip protocol vrrp drop; }; }'`,
        ),
      holders: both,
      ask: [
        {
          at: "node2",
          verdict: "critical",
          cause: "firewall",
          says:
            /10\.77\.2\.1 on hb0.*ip protocol vrrp drop \(nftables, table inet guard, chain in, handle \d+\)/,
          next: /^nft delete rule inet guard in handle \d+$/,
        },
        { at: "node1", verdict: "critical", cause: "one-way", says: /does not hear our VRRP.*firewall/ },
      ],
    },
    {
      name: "healed",
      befall: (lab) => shell(lab, "node2", "nft delete table inet guard"),
      holders: node1,
      ask: [{ at: "node2", verdict: "ok" }],
    },
    {
      name: "the private link is dead in the middle",
      befall: (lab) => lab.mute("node2", "hb0"),
      holders: both,
      ask: both.map((at) => ({
        at,
        verdict: "critical",
        cause: "dead-link",
        says: /link hb0 is dead although it has a carrier/,
        next: /^ssh 10\.77\.1\.\d ip -br link$/,
      })),
    },
    {
      name: "the private link passes one way only",
      befall: async (lab) => {
        await lab.dropTowards("node2", "hb0");
        await lab.unmute("node2", "hb0");
      },
      holders: both,
      ask: [{ at: "node1", verdict: "critical", cause: "one-way", says: /hb0 is one-way/ }],
    },
    {
      name: "just after a legitimate failover",
      befall: async (lab) => {
        await lab.dropTowards("node2", "hb0", false);
        lab.kill("node1", "SIGTERM");
        await lab.daemon("node1").ended;
      },
      holders: node2,
      ask: [{
        at: "node2",
        args: ["--vip", "10.77.1.100", "--primary", "10.77.1.1", "--role", "either", "--window", "2s"],
        verdict: "ok",
      }],
    },
    {
      name: "the primary's daemon stands still",
      befall: async (lab) => {
        startKeepalived(lab, "node1", { ...fast, link: "hb0" });
        await untilHeld(lab, "node1");
        await signal(lab, "node1", "keepalived", "STOP");
      },
      holders: both,
      ask: [
        {
          at: "node2",
          verdict: "critical",
          cause: "silent-process",
          says: /primary is up and has 10\.77\.1\.100/,
        },
        {
          at: "node1",
          verdict: "critical",
          cause: "silent-process",
          says: /stands still/,
          next: /^kill -CONT \d+/,
        },
      ],
    },
    {
      name: "the primary's daemon is dead and has left its address behind",
      befall: (lab) => signal(lab, "node1", "keepalived", "KILL"),
      holders: both,
      ask: [
        {
          at: "node2",
          verdict: "critical",
          cause: "stale-address",
          says: /primary still has 10\.77\.1\.100, and no daemon runs there/,
          next: /^ssh 10\.77\.\d\.1 ip addr show to 10\.77\.1\.100$/,
        },
        {
          at: "node1",
          verdict: "critical",
          cause: "stale-address",
          next: /^systemctl status keepalived /,
        },
      ],
    },
  ],
};

/** The advertisements go over the service network, where a third machine hears them too. */
export const keepalivedService: Course = {
  name: "keepalived over the service network",
  needs: ["keepalived"],
  lab: { links: 1 },
  start: (lab) => {
    for (const node of lab.nodes) startKeepalived(lab, node, fast);
  },
  args: (lab, at) => pairFlags(lab, at, null),
  situations: [
    { name: "healthy", holders: node1, ask: ["node2", "client"].map((at) => ({ at, verdict: "ok" })) },
    {
      name: "a bridge does not forward multicast to the standby",
      befall: (lab) => shell(lab, "client", "bridge link set dev l0n2 mcast_flood off"),
      holders: both,
      ask: [{
        at: "client",
        verdict: "critical",
        cause: "multicast",
        says: /bridge br0 .* does not forward multicast to l0n2/,
        next: /^bridge link set dev l0n2 mcast_flood on$/,
      }],
    },
    {
      name: "different virtual router ids",
      befall: async (lab) => {
        await shell(lab, "client", "bridge link set dev l0n2 mcast_flood on");
        await restart(lab, "node2", { ...fast, routerId: 52 });
      },
      holders: both,
      ask: ["node1", "node2", "client"].map((at) => ({
        at,
        verdict: "critical",
        cause: "router-id",
        says: /virtual router 5[12].* 5[12]/,
      })),
    },
    {
      name: "different versions of the protocol",
      befall: (lab) => restart(lab, "node2", { version: 2, password: null }),
      holders: both,
      ask: [{ at: both, verdict: "critical", cause: "settings", says: /VRRP version [23] and [23]/ }],
    },
  ],
};

/**
 * A keepalived that refuses what it hears may be master without a word (2.2.7 starts its timer anew each time): only
 * where it runs can be seen what it would say. Which of the two falls silent is a matter of chance.
 */
export const keepalivedPassword: Course = {
  name: "keepalived with passwords",
  needs: ["keepalived", "iptables"],
  lab: { links: 1 },
  start: (lab) => {
    for (const node of lab.nodes) startKeepalived(lab, node, { password: `of-${node.slice(4)}` });
  },
  args: (lab, at) => pairFlags(lab, at, null),
  situations: [
    {
      name: "different passwords",
      holders: both,
      ask: [{
        at: both,
        verdict: "critical",
        cause: "authentication",
        says: /different passwords for virtual router 51/,
        next: /^grep -n -A3 authentication \/etc\/keepalived\/keepalived\.conf$/,
      }],
    },
    {
      name: "different intervals",
      befall: (lab) => restart(lab, "node2", { password: "of-1", intervalSeconds: 2 }),
      holders: both,
      ask: [{
        at: both,
        verdict: "critical",
        cause: "settings",
        says: /interval in ms [12]000 and [12]000/,
      }],
    },
    {
      name: "the primary's firewall, written with iptables, lets nothing out",
      befall: async (lab) => {
        await restart(lab, "node2", { password: "of-1" });
        await shell(lab, "node1", "iptables -A OUTPUT -p vrrp -d 224.0.0.18 -j DROP");
      },
      holders: both,
      ask: [{
        at: "node1",
        verdict: "critical",
        cause: "firewall",
        says: /-A OUTPUT -d 224\.0\.0\.18(\/32)? -p vrrp -j DROP/,
        next: /^iptables -D OUTPUT /,
      }],
    },
  ],
};
