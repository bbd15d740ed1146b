/** What the tests of drills share. */

import type { DrillPlan } from "../../lib/drill/plan.ts";

/** Everything on eth1 is cut, in both directions. */
export const wholeCut: DrillPlan = {
  id: "ab12cd",
  link: "eth1",
  ownHardware: null,
  directions: ["in", "out"],
  scope: { kind: "everything" },
  port: null,
  lossPermille: 1000,
  durationMs: 20_000,
};
