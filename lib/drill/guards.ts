/**
 * Whether a drill may begin: what it would cut that must not be cut. From facts that were gathered; does no IO.
 * What is not known to be safe is refused: an unproved second path counts as none.
 */

import type { NodeView } from "../core/view.ts";
import { type DrillPlan, isHit } from "./plan.ts";
import type { Connection } from "./remote_shell.ts";

export interface Facts {
  /** The local daemon's view; `null`: no daemon of ours runs here. */
  readonly view: NodeView | null;
  /**
   * The caller's connections, with the interfaces that the routes name for their far ends and the hardware address of
   * the next hop on the link that is to be cut; `null`: not known, or of no matter.
   */
  readonly connections: ReadonlyArray<
    Connection & { readonly device: string | null; readonly neighbour: string | null }
  >;
  /** Links that other drills have cut, or make worse, at this moment: the daemon need not have noticed yet. */
  readonly drilled: readonly string[];
  /** A second address of the peer that the operator named, and what came of asking it; `null`: none was named. */
  readonly otherPath:
    | { readonly address: string; readonly device: string | null; readonly answers: boolean }
    | null;
}

/** What is left between this node and its peers while the link is cut. */
export type Paths =
  /** `peers`: by name, with the links that stay; empty where only an address was proved. */
  | { readonly kind: "left"; readonly sentence: string }
  | { readonly kind: "last"; readonly sentence: string }
  | { readonly kind: "unknown"; readonly sentence: string };

/**
 * A link counts as working when it was heard within so many keepalives. More, and one that has just been cut counts as
 * a path until the daemon notices; fewer, and a single lost heartbeat refuses a drill.
 */
const freshKeepalives = 2;

export function pathsLeft(plan: DrillPlan, { view, drilled, otherPath }: Facts): Paths {
  if (otherPath !== null) {
    const { address, device, answers } = otherPath;
    if (device === plan.link) {
      return { kind: "unknown", sentence: `${address} is reached over ${plan.link} itself` };
    }
    if (device !== null && drilled.includes(device)) {
      return { kind: "unknown", sentence: `${address} is reached over ${device}, where another drill runs` };
    }
    return answers
      ? { kind: "left", sentence: `${address} answers over ${device}` }
      : { kind: "unknown", sentence: `${address} does not answer` };
  }
  if (view === null) {
    return {
      kind: "unknown",
      sentence: "no Heartline daemon runs here that could say which other links to the peer work",
    };
  }
  const peers = view.peers.filter(({ state }) => state === "init" || state === "alive");
  if (peers.length === 0) {
    return { kind: "unknown", sentence: "the daemon has no other node in view: heal the cluster first" };
  }
  const freshMs = freshKeepalives * view.timing.keepaliveMs;
  const hurt = new Set([plan.link, ...drilled]);
  const left = peers.map(({ node, links }) => ({
    node,
    links: links.filter(({ medium, state, heardAgoMs }) =>
      state === "up" && heardAgoMs !== null && heardAgoMs <= freshMs && !hurt.has(deviceOf(medium))
    ).map(({ medium }) => medium),
  }));
  const lost = left.filter(({ links }) => links.length === 0);
  if (lost.length > 0) {
    const names = lost.map(({ node }) => node).join(", ");
    const others = drilled.length === 0 ? "" : `; another drill runs on ${drilled.join(", ")}`;
    return { kind: "last", sentence: `${plan.link} is the last link that works to ${names}${others}` };
  }
  return {
    kind: "left",
    sentence: left.map(({ node, links }) => `${links.join(", ")} to ${node}`).join("; "),
  };
}

/** Interface of a link's name (`linkName` in the settings). */
export function deviceOf(medium: string): string {
  return medium.replace(/^tcp:/, "");
}

/** Why the drill must not begin, one sentence each; `--force` overrides them. */
export function refusals(plan: DrillPlan, facts: Facts, paths: Paths): string[] {
  const found: string[] = [];
  // Loss leaves the path, however bad.
  if (plan.lossPermille === 1000 && paths.kind !== "left") {
    const next = paths.kind === "last"
      ? facts.drilled.length > 0 ? "wait for the end of that drill" : "mend another link first"
      : `name a second address of the peer, on another link, with --other-path`;
    found.push(`the last path to the peer would be cut: ${paths.sentence}; ${next}`);
  }
  for (const { remote, ports, device, neighbour, evidence } of facts.connections) {
    // What is not known to be spared counts as hit.
    if (device !== plan.link || isHit(plan, remote, ports, neighbour) === false) continue;
    found.push(
      `your own connection from ${remote} comes in over ${plan.link} (${evidence}); log in over another link, or at the console`,
    );
  }
  return found;
}
