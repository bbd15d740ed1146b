/**
 * One line that shows the whole pair: who holds the service, which links live, whether the client is served.
 *
 *   node1 ● HOLDS   ━━ hb0 up   ╍╍ pub0 DEAD   node2 ○ ready   client ✓ served
 *
 * PURE. Every state is a word and a shape; colour only repeats it.
 */

import type { NodeView } from "../../lib/core/view.ts";
import type { Paint } from "../../cli/render/paint.ts";

export interface Scene {
  readonly nodes: ReadonlyArray<{
    readonly name: string;
    readonly isRunning: boolean;
    readonly holds: boolean;
    /** `null`: the daemon does not answer. */
    readonly view: NodeView | null;
  }>;
  readonly links: readonly string[];
  /** Since the client's last answer; `null`: none yet. */
  readonly unansweredMs: number | null;
}

interface Part {
  readonly text: string;
  readonly tone: keyof Paint;
}

/** Older than this the service counts as gone: a few requests are lost on any busy machine. */
const servedWithinMs = 60;

export function drawPicture(scene: Scene, paint: Paint): string {
  const [first, ...others] = scene.nodes.map(nodePart);
  const parts = [first, ...scene.links.map((link) => linkPart(link, scene)), ...others, clientPart(scene)];
  return "  " + parts.flatMap((part) => part ? [paint[part.tone](part.text)] : []).join("   ");
}

function nodePart({ name, isRunning, holds, view }: Scene["nodes"][number]): Part {
  const shape = holds ? "●" : isRunning ? "○" : "✗";
  if (!isRunning) return { text: `${name} ${shape} ${holds ? "LEASE" : "OFF"}`, tone: "bad" };
  if (view?.isolated) return { text: `${name} ${shape} ${holds ? "HOLDS" : "CUT OFF"}`, tone: "bad" };
  if (holds) return { text: `${name} ${shape} HOLDS`, tone: "good" };
  if (view?.phase !== "settled") return { text: `${name} ${shape} joins`, tone: "doubtful" };
  return { text: `${name} ${shape} ready`, tone: "strong" };
}

/** The worse of what the two ends say; a link without a living end is dead. */
function linkPart(link: string, { nodes }: Scene): Part {
  const states = nodes.flatMap(({ view }) =>
    view?.peers.flatMap((peer) =>
      peer.links.filter(({ medium }) => medium === link).map(({ state }) => state)
    ) ?? []
  );
  const worst = (["dead", "one-way", "never", "late", "up"] as const).find((state) => states.includes(state));
  switch (worst) {
    case "up":
      return { text: `━━ ${link} up`, tone: "good" };
    case "late":
      return { text: `┅┅ ${link} late`, tone: "doubtful" };
    case "one-way":
      return { text: `━╍ ${link} ONE-WAY`, tone: "bad" };
    case "dead":
      return { text: `╍╍ ${link} DEAD`, tone: "bad" };
    case "never":
    case undefined:
      return { text: `╍╍ ${link} silent`, tone: "doubtful" };
  }
}

function clientPart({ unansweredMs }: Scene): Part {
  return unansweredMs !== null && unansweredMs <= servedWithinMs
    ? { text: "client ✓ served", tone: "good" }
    : { text: "client ✗ WAITS", tone: "bad" };
}
