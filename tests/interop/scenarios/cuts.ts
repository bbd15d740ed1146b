/**
 * Links that are cut and mended. The real daemon asks no wire and has no lease: what two holders it alone
 * makes inevitable is stated in each case, and nothing beyond that is let pass.
 */

import { overlapMs } from "../../../scripts/lab/timeline.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import { waitFor } from "../../e2e/harness.ts";
import type { InteropScenario } from "../scenario.ts";
import assert from "node:assert/strict";

export const cuts: readonly InteropScenario[] = [
  {
    // Inherent: cut off, the real daemon takes over what Heartline still holds and serves on its own side.
    name: "a partition of everything heals: Heartline lets go at once, and one holder is left",
    ours: "node1",
    play: async (pair) => {
      await pair.opens();
      const { lab, holders } = pair;
      for (const link of lab.links) await lab.mute("node1", link);
      await waitFor(() => holders.sample().length === 2, "both hold it, each on its side");
      // What a daemon hears while the scripts of its takeover still run confuses it.
      await pair.logged(/mach_down takeover complete/);
      const healsMs = monotonicMs();
      for (const link of lab.links) await lab.unmute("node1", link);
      const firstEnd = () =>
        holders.timeline().changes.find((change) => change.atMs > healsMs && change.holders.length < 2);
      await waitFor(() => firstEnd() !== undefined, "one of them lets go");
      const ends = firstEnd()!;
      // The real daemon alone would hold on for two seconds; ours goes with its next heartbeat, and first.
      assert.deepEqual(ends.holders, ["node2"]);
      await pair.said(/ notice group-stopping: /);
      await pair.said(/ notice node-restarted: the daemon of node2 was restarted/);
      await pair.settled("none|local");
      await pair.heldBy("node1");
      pair.neverTwo(ends.atMs);
    },
  },
  {
    // Inherent: the real daemon takes over although ours lives and holds; its announcement makes us let go.
    name: "only the heartbeat link is cut: the real daemon takes over, and Heartline yields to its claim",
    ours: "node1",
    options: { links: 2, media: (node, lab) => [`ucast hb0 ${lab.network.address(other(node), "hb0")}`] },
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.lab.mute("node1", "hb0");
      await pair.heldBy("node2");
      await pair.said(/ notice group-stopping: .* claims /);
      await pair.stays("node2", 1_500);
      await pair.said(/ alarm wire-veto: /);
      // Its scripts take a while from the address to the first announcement, which ends it.
      assert.ok(overlapMs(pair.holders.timeline()) < 5_000, "its first announcement ends it");
    },
  },
  {
    // The real daemon does not know how to look: ours, cut off from the holder only on the heartbeat link, does.
    name: "only the heartbeat link is cut and the real daemon holds: Heartline takes nothing",
    ours: "node2",
    options: { links: 2, media: (node, lab) => [`ucast hb0 ${lab.network.address(other(node), "hb0")}`] },
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.lab.mute("node1", "hb0");
      await pair.said(/ alarm wire-veto: /);
      await pair.stays("node1", 2_000);
      await pair.lab.unmute("node1", "hb0");
      await pair.said(/ warning heartbeat-returned: /);
      // It restarts itself, as it does after any partition: away for a moment, it is taken from, and given back to.
      await pair.said(/ notice node-restarted: the daemon of node1 was restarted/);
      await pair.heldBy("node1");
      await pair.settled("local|all");
      pair.neverTwo();
    },
  },
];

function other(node: string): string {
  return node === "node1" ? "node2" : "node1";
}
