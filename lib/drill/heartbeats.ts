/**
 * Whether the daemon of this machine has to notice a drill: what decides whether an alarm is due. From the drill, the
 * daemon's view, and the media of its settings. Pure. What cannot be told is `unknown`: then nothing is demanded.
 */

import type { MediumSettings } from "../core/settings.ts";
import type { NodeView } from "../core/view.ts";
import { deviceOf } from "./guards.ts";
import { type DrillPlan, isHit } from "./plan.ts";

/** What becomes of the heartbeats that this node hears, or is told to be heard by. */
export type HeartbeatLoss =
  | { readonly kind: "noticed" }
  | { readonly kind: "unnoticed"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

/** A medium on the link; `neighbour`: hardware address of the next hop to its peer, `null`: not known. */
export interface HeartbeatPath {
  readonly medium: Exclude<MediumSettings, { readonly kind: "serial" }>;
  readonly neighbour: string | null;
}

/** `paths`: of the daemon's own settings; `null`: they could not be read. */
export function heartbeatLoss(
  plan: DrillPlan,
  view: NodeView,
  paths: readonly HeartbeatPath[] | null,
): HeartbeatLoss {
  const { link, scope, port, directions } = plan;
  const peers = view.peers.filter(({ links }) => links.some(({ medium }) => deviceOf(medium) === link));
  if (peers.length === 0) return { kind: "unnoticed", why: `no heartbeats go over ${link}` };
  if (!directions.includes("in") && peers.every(({ hearsUs }) => hearsUs === null)) {
    return { kind: "unnoticed", why: "a Heartbeat daemon does not tell on which links it hears this node" };
  }
  if (scope.kind === "everything" && port === null) return { kind: "noticed" };
  if (paths === null) {
    const why = "the settings of the daemon, which tell addresses and ports of heartbeats, were not read";
    return { kind: "unknown", why: `${why}; name them with --config or --ha-dir` };
  }
  const hits = paths.map((path) => isPathHit(plan, path));
  if (hits.includes(true)) return { kind: "noticed" };
  const doubtful = paths[hits.indexOf(null)];
  if (doubtful !== undefined) return { kind: "unknown", why: doubt(doubtful, link) };
  return {
    kind: "unnoticed",
    why: port !== null && paths.every(({ medium }) => medium.port !== port)
      ? `no heartbeats on ${link} use port ${port}`
      : `the heartbeats on ${link} go past what is cut`,
  };
}

/** `null`: not known. */
function isPathHit(plan: DrillPlan, { medium, neighbour }: HeartbeatPath): boolean | null {
  if ("peer" in medium) return isHit(plan, medium.peer, [medium.port], neighbour);
  if (plan.port !== null && plan.port !== medium.port) return false;
  if (plan.scope.kind === "everything") return true;
  // What goes out is for everybody, and no rule of a peer's addresses fits it.
  return plan.directions.includes("in") ? null : false;
}

function doubt({ medium }: HeartbeatPath, link: string): string {
  return "peer" in medium
    ? `the next hop to ${medium.peer} does not tell its hardware address`
    : `from which address the heartbeats of ${medium.kind} ${link} come is not in the settings`;
}
