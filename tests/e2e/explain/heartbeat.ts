/** Real Heartbeat 3.0.6 daemons. Their first takeover needs more than ten seconds; hence few situations in each course. */

import { HA_DIRECTORY, writeHaDirectory } from "../../../scripts/lab/config.ts";
import { heartbeatHaCf, startHeartbeat } from "../../../scripts/lab/heartbeat.ts";
import type { Lab } from "../../../scripts/lab/lab.ts";
import { type Course, shell, signal, untilHeld } from "./situation.ts";

const node1 = ["node1"];
const both = ["node1", "node2"];
/** Of the package, and on the PATH. */
const program = "cl_status";

async function start(lab: Lab, ofSecond: Parameters<typeof writeHaDirectory>[1] = {}): Promise<void> {
  const common = { deadTimeMs: 3000, keepaliveMs: 500, links: ["hb0"], haCf: heartbeatHaCf };
  writeHaDirectory(lab, common);
  writeHaDirectory(lab, { ...common, ...ofSecond }, ["node2"]);
  for (const node of lab.nodes) await startHeartbeat(lab, node);
}

const args =
  () => ["--ha-dir", HA_DIRECTORY, "--role", "standby", "--primary", "10.77.1.1", "--window", "2500ms"];

const ownArgs = ["--ha-dir", HA_DIRECTORY, "--role", "primary", "--window", "2500ms"];

export const heartbeatCut: Course = {
  name: "Heartbeat",
  needs: [program],
  start: (lab) => start(lab),
  args,
  situations: [
    { name: "healthy", holders: node1, ask: [{ at: "node2", verdict: "ok" }] },
    {
      name: "the cable of the heartbeat link is out",
      befall: (lab) => lab.cut("node2", "hb0"),
      holders: both,
      ask: [{
        at: "node2",
        verdict: "critical",
        cause: "carrier",
        says: /"hb0" of this machine has no carrier/,
        next: /^ethtool hb0$/,
      }],
    },
  ],
};

export const heartbeatAddress: Course = {
  name: "Heartbeat",
  needs: [program, "nft"],
  start: (lab) => start(lab),
  args,
  situations: [
    {
      name: "the firewall of the standby drops heartbeats by its policy",
      befall: async (lab) => {
        await untilHeld(lab, "node1");
        await shell(
          lab,
          "node2",
          "nft 'table ip guard { chain in { type filter hook input priority 0; policy drop; ip protocol icmp accept; udp dport != 694 accept; }; }'",
        );
      },
      holders: both,
      ask: [{
        at: "node2",
        verdict: "critical",
        cause: "firewall",
        says:
          /the policy of .* drops heartbeats \(UDP port 694\) from 10\.77\.2\.1 on hb0 .*table ip guard, chain in/,
        next: /^nft insert rule ip guard in iifname "hb0" udp dport 694 accept$/,
      }],
    },
    {
      name: "the standby's heartbeat interface has an address of another subnet",
      befall: (lab) =>
        shell(
          lab,
          "node2",
          // In this order: one heartbeat that passes in between makes a daemon restart itself.
          "ip addr flush dev hb0; ip addr add 10.78.2.2/24 dev hb0; nft delete table ip guard; sleep 1",
        ),
      holders: both,
      ask: [{
        at: "node2",
        verdict: "critical",
        cause: "address",
        says: /10\.78\.2\.2\/24; 10\.77\.2\.1 is in none/,
      }],
    },
  ],
};

export const heartbeatProcess: Course = {
  name: "Heartbeat",
  needs: [program],
  start: async (lab) => {
    await start(lab);
    await untilHeld(lab, "node1");
  },
  args,
  situations: [
    {
      name: "the primary's processes stand still",
      befall: (lab) => signal(lab, "node1", "heartbeat", "STOP"),
      holders: both,
      ask: [
        {
          at: "node2",
          verdict: "critical",
          cause: "silent-process",
          says: /node1 is up and has 10\.77\.1\.100, but its daemon says nothing/,
          next: /^ssh 10\.77\.2\.1 ps .* heartbeat$/,
        },
        { at: "node1", args: ownArgs, verdict: "critical", cause: "silent-process", next: /^kill -CONT \d+/ },
      ],
    },
    {
      name: "the primary's processes are dead and have left the address behind",
      befall: (lab) => signal(lab, "node1", "heartbeat", "KILL"),
      holders: both,
      ask: [{
        at: "node2",
        verdict: "critical",
        cause: "stale-address",
        says: /node1 still has 10\.77\.1\.100, and no daemon runs there/,
      }],
    },
  ],
};

export const heartbeatKey: Course = {
  name: "Heartbeat",
  needs: [program],
  start: (lab) => start(lab, { secret: "another-key" }),
  args,
  situations: [
    {
      name: "different keys",
      holders: both,
      ask: [{
        at: "node2",
        verdict: "critical",
        cause: "authentication",
        says: /heartbeats of node1 are signed with key 1 \(sha1\): it does not verify/,
        next: /sha256sum \/etc\/ha\.d\/authkeys/,
      }],
    },
  ],
};

export const heartbeatSettings: Course = {
  name: "Heartbeat",
  needs: [program],
  start: (lab) => start(lab, { deadTimeMs: 9000 }),
  args,
  situations: [
    {
      name: "different dead times, while all is well",
      holders: node1,
      ask: [{
        at: "node2",
        verdict: "ok",
        cause: "settings",
        says: /configured differently: deadtime [39]000 ms and [39]000 ms$/,
        next: /ha\.cf \| diff/,
      }],
    },
  ],
};

export const heartbeatSize: Course = {
  name: "Heartbeat",
  needs: [program],
  start: async (lab) => {
    await shell(lab, "client", "ip link set l1n1 mtu 200; ip link set l1n2 mtu 200");
    await start(lab);
  },
  args,
  situations: [
    {
      name: "large packets do not pass the heartbeat link",
      holders: both,
      ask: [{
        at: "node2",
        verdict: "critical",
        cause: "packet-size",
        says:
          /packets above 1\d\d bytes do not pass to node1 on hb0, whose MTU is 1500; heartbeats have up to \d+/,
        next: /^tracepath -n 10\.77\.2\.1$/,
      }],
    },
  ],
};
