/** The same talk over each medium that both know, and over links that lose packets. */

import assert from "node:assert/strict";
import { hbTakeover } from "../../../scripts/lab/heartbeat.ts";
import type { InteropScenario } from "../scenario.ts";
import type { MixedPair } from "../mixed_pair.ts";

const groupAddress = "225.0.0.1 694 1 0";

const media: readonly Pick<InteropScenario, "name" | "ours" | "options" | "needs">[] = [
  { name: "bcast", ours: "node1", options: { media: () => ["bcast hb0", "bcast pub0"] } },
  {
    name: "mcast",
    ours: "node2",
    options: { media: () => [`mcast hb0 ${groupAddress}`, `mcast pub0 ${groupAddress}`] },
  },
  { name: "serial", ours: "node1", options: { isSerial: true, media: () => [] }, needs: ["socat"] },
];

export const wires: readonly InteropScenario[] = [
  ...media.map((medium): InteropScenario => ({
    ...medium,
    name: `over ${medium.name}: both start, move the group there and back, and one dies`,
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.heartline(pair.ours === "node1" ? "standby" : "takeover");
      await pair.heldBy("node2");
      await pair.settled(pair.theirs === "node1" ? "none|foreign" : "foreign|all");
      await pair.hbTakeoverOrStandby();
      await pair.heldBy("node1");
      await pair.lab.powerOff("node1");
      await pair.heldBy("node2");
      pair.neverTwo();
    },
  })),
  {
    name: "what the real daemon said while nothing arrived here is asked for again",
    ours: "node1",
    options: { deadTimeMs: 8_000 },
    play: async (pair) => {
      await pair.opens();
      await withLoss(pair, async () => {
        await hbTakeover(pair.lab, pair.theirs, "all");
      });
      // Were it not sent again, nothing would ever come of it.
      await pair.heldBy("node2");
      pair.neverTwo();
    },
  },
  {
    name: "what Heartline said while nothing arrived there is sent again when the real daemon asks for it",
    ours: "node2",
    options: { deadTimeMs: 8_000 },
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      let moved: Promise<string> | null = null;
      await withLoss(pair, async () => {
        moved = pair.heartline("takeover");
        await pair.said(/ notice takeover-asks: /);
      });
      await moved;
      const asked = pair.lab.lines().filter(({ line }) => / notice takeover-asks: /.test(line));
      assert.equal(asked.length, 1, "it was not sent again but asked anew");
      await pair.heldBy("node2");
      await pair.logged(/lost packet/);
      pair.neverTwo();
    },
  },
];

/** What goes from node2 to node1 is lost for at least 0.45 s, on all links. */
async function withLoss(pair: MixedPair, during: () => Promise<void>): Promise<void> {
  const { lab } = pair;
  for (const link of lab.links) await lab.dropTowards("node1", link);
  const time = new Promise((resolve) => setTimeout(resolve, 450));
  await during();
  await time;
  for (const link of lab.links) await lab.dropTowards("node1", link, false);
}
