/**
 * Links that carry in one direction only. Who is heard and hears nothing, or hears and is not heard, keeps what the
 * service network still answers for, or gives it up before another takes it, where an arbiter tells that it is cut off.
 */

import { dropHeartbeatsTo, needsFirewall, passHeartbeats } from "./firewall.ts";
import { arbiter, assertUntouched, both, givenUpThenTaken } from "./partitions.ts";
import type { Scenario } from "./scenario.ts";

export const oneWay: readonly Scenario[] = [
  ...oneWayHeartbeats(),
  {
    name:
      "the holder is heard and hears nothing at all, with an arbiter: it gives up before the other takes over",
    config: arbiter("release"),
    needs: needsFirewall,
    play: async (stage) => {
      await stage.opens();
      for (const link of stage.lab.links) await stage.lab.dropTowards("node1", link);
      await givenUpThenTaken(stage);
      for (const link of stage.lab.links) await stage.lab.dropTowards("node1", link, false);
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node2"] });
      stage.neverTwo();
    },
  },
  {
    name:
      "the holder hears and is not heard at all, with an arbiter: it gives up before the other takes over",
    config: arbiter("release"),
    needs: needsFirewall,
    play: async (stage) => {
      await stage.opens();
      for (const link of stage.lab.links) await stage.lab.dropFrom("node1", link);
      await givenUpThenTaken(stage);
      for (const link of stage.lab.links) await stage.lab.dropFrom("node1", link, false);
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node2"] });
      stage.neverTwo();
    },
  },
];

/** Heartbeats are lost in one direction only; the service network works. */
function oneWayHeartbeats(): Scenario[] {
  return both.map((deaf) => {
    const hearing = deaf === "node1" ? "node2" : "node1";
    return {
      name: `heartbeats towards ${deaf === "node1" ? "the holder" : "the standby"} are lost: nothing moves`,
      needs: needsFirewall,
      config: { deadTimeMs: 3_000 },
      play: async (stage) => {
        await stage.opens();
        await dropHeartbeatsTo(stage, deaf);
        await stage.said(deaf, "node-dead");
        await stage.said(hearing, "one-way", /does not hear us/);
        await stage.nothingMoves("node1", 1500);
        // One alarm for each link, and no word of a dead node from the one that hears.
        await stage.agrees(hearing, { alarms: ["one-way", "one-way"], holders: ["node1"] });

        await passHeartbeats(stage, deaf);
        for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node1"] });
        assertUntouched(stage, ...both);
        stage.neverTwo();
        stage.noOutage();
      },
    };
  });
}
