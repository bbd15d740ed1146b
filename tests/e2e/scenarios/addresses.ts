/**
 * Somebody meddles with the address: removes it, puts it on another machine, or has used it all along. And the group
 * with an IPv6 address.
 */

import assert from "node:assert/strict";
import { VIP, VIP6 } from "../../../scripts/lab/config.ts";
import { CLIENT } from "../../../scripts/lab/network.ts";
import { inNetworkNamespace, networkNamespacePath } from "../../../lib/system/namespaces.ts";
import { NeighbourSocket } from "../../../lib/system/neighbour.ts";
import { Netlink } from "../../../lib/system/netlink.ts";
import { waitFor } from "../harness.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

const both = ["node1", "node2"];

export const addresses: readonly Scenario[] = [
  {
    name: "the address is removed by hand: it is put back and announced",
    isEssential: true,
    play: async (stage) => {
      await stage.opens();
      // The announcements of the start end after three seconds; wait for none of them.
      await stage.nothingMoves("node1", 3200);
      const hardware = await hardwareOf(stage, "node1");
      const claims = new ClaimListener(stage, VIP);
      stage.blow();
      await stage.shell("node1", `ip address del ${VIP}/24 dev pub0`);
      await stage.said("node1", "address-lost", /is gone from this machine; putting it back if it is free/);
      await stage.heldBy("node1");
      await stage.untilServed();
      await claims.heard(hardware);
      claims.close();
      stage.neverTwo();
      stage.outageWithin(0.5);
      // The lease is on again: the kernel's copy has a limited life.
      assert.match(await stage.shell("node1", "ip -4 address show dev pub0"), /valid_lft \dsec/);
      await stage.agrees("node1", { alarms: [], holders: ["node1"] });
      assert.deepEqual(stage.codes("node2", "alarm"), []);
    },
  },
  {
    name: "the address is removed again and again: an alarm points at a network manager",
    play: async (stage) => {
      await stage.opens();
      for (let time = 0; time < 4; time++) {
        await stage.shell("node1", `ip address del ${VIP}/24 dev pub0`);
        await waitFor(
          () => stage.codes("node1", "warning").filter((code) => code === "address-lost").length > time,
          "the loss is noticed",
        );
        await stage.heldBy("node1");
      }
      await stage.said("node1", "address-flapping", /look for a network manager/);
      assert.deepEqual(stage.codes("node1", "alarm"), ["address-flapping"]);
      stage.neverTwo();
    },
  },
  {
    name:
      "the address is put on the other machine by hand and announced there: an alarm there, and the holder announces again",
    play: async (stage) => {
      await stage.opens();
      const claims = new ClaimListener(stage, VIP);
      await stage.shell("node2", `ip address add ${VIP}/32 dev pub0`);
      await stage.untilAlarms("node2", ["stray-address"]);
      stage.blow();
      const announced = await stage.heartline(
        "node2",
        ...["arp", "announce", "--vip", VIP, "--dev", "pub0", "--count", "1"],
      );
      assert.equal(announced.code, 0, announced.stderr);
      const rival = await hardwareOf(stage, "node2");
      await stage.said("node1", "rival-claim", new RegExp(`${rival} claims ${VIP}`));
      await claims.heard(await hardwareOf(stage, "node1"), rival);
      // Two holders by hand: the proof that the check of all other scenarios sees them.
      assert.throws(() => stage.neverTwo(), /two holders/);
      claims.close();
      await stage.shell("node2", `ip address del ${VIP}/32 dev pub0`);
      await stage.untilServed();
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node1"] });
    },
  },
  {
    name: "a stranger uses the address already: it is not started, and is once the stranger is gone",
    isEssential: true,
    options: { start: [] },
    play: async (stage) => {
      await stage.shell("client", `ip address add ${VIP}/32 dev br0`);
      for (const node of both) stage.start(node);
      const alarm = await stage.said("node1", "address-in-use");
      assert.match(alarm.sentence, /web is not started: [0-9a-f:]{17} answers for 10\.77\.1\.100/);
      await stage.nobodyHolds(1000);
      await stage.agrees("node1", { alarms: ["address-in-use"], holders: [] });

      await stage.shell("client", `ip address del ${VIP}/32 dev br0`);
      await stage.heldBy("node1");
      await stage.untilServed();
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node1"] });
      stage.neverTwo();
    },
  },
  {
    name: "an IPv6 address over IPv6 links: killed, taken over, and handed back",
    isEssential: true,
    options: { vip: VIP6 },
    config: { family: 6, resources: [{ vip: `${VIP6}/64`, dev: "pub0" }] },
    play: async (stage) => {
      await stage.opens();
      stage.lab.kill("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.outageWithin(3);
      await stage.agrees("node2", { alarms: ["node-dead"], holders: ["node2"] });

      stage.start("node1");
      await stage.said("node1", "settled");
      await stage.untilAlarms("node2", []);
      stage.blow();
      assert.equal((await stage.heartline("node1", "takeover")).code, 0);
      await stage.heldBy("node1");
      await stage.untilServed();
      stage.outageWithin(0.8);
      stage.neverTwo();
    },
  },
];

/** Hears, on the client's network, who says to all that it has the address. */
class ClaimListener {
  readonly #socket: NeighbourSocket;
  readonly #hardware: string[] = [];

  constructor(stage: Stage, address: string) {
    const path = networkNamespacePath(stage.lab.network.namespace(CLIENT));
    this.#socket = inNetworkNamespace(path, () => {
      const netlink = Netlink.open();
      try {
        return NeighbourSocket.open(netlink.link("br0")!, address.includes(":") ? 6 : 4);
      } finally {
        netlink.close();
      }
    });
    this.#socket.listenFor(address);
  }

  /** Waits until one says so; where `other` is given, after that one said so. */
  async heard(hardware: string, other: string | null = null): Promise<void> {
    const isHeard = () => {
      const claims = this.#socket.poll().filter(({ isGratuitous, kind }) => isGratuitous && kind !== "probe");
      this.#hardware.push(...claims.map((claim) => claim.hardware));
      const from = other === null ? 0 : this.#hardware.indexOf(other);
      return from >= 0 && this.#hardware.slice(from).includes(hardware);
    };
    await waitFor(isHeard, `${hardware} announces the address`);
  }

  close(): void {
    this.#socket.close();
  }
}

async function hardwareOf(stage: Stage, node: string): Promise<string> {
  return (await stage.shell(node, "cat /sys/class/net/pub0/address")).trim();
}
