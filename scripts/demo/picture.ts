/**
 * One line that shows the whole pair: who holds the service, which links live, whether the client is served.
 *
 *   node1 ● HOLDS  hb0 ━━ up    pub0 ╍╍ DEAD  node2 ○ ready  client ✓ ok
 *
 * PURE. Every state is a word and a shape; colour only repeats it. At most 72 columns, each part at its place.
 */

import type { LinkView, NodeView } from "../../lib/core/view.ts";
import { pad, type Paint, type Tone } from "./text.ts";

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

type Part = readonly [tone: Tone, text: string, columns: number];

/** What the words mean, for the reader. */
export const LEGEND = [
  "  ● holds the service  ○ does not  ✗ its daemon is off  ━━ link up  ╍╍ link dead",
  "  ALONE: reaches nobody  LEASE: the daemon is gone, the kernel's lease runs on",
];

/** Older than this the service counts as gone: a few requests are lost on any busy machine. */
const servedWithinMs = 60;

const linkWords: Readonly<Record<LinkView["state"], readonly [tone: Tone, line: string, word: string]>> = {
  up: ["good", "━━", "up"],
  late: ["doubtful", "┅┅", "late"],
  "one-way": ["bad", "━╍", "1WAY"],
  never: ["doubtful", "╍╍", "none"],
  dead: ["bad", "╍╍", "DEAD"],
};
const worstFirst = ["dead", "one-way", "never", "late", "up"] as const;

export function drawPicture(scene: Scene, paint: Paint): string {
  const [first, ...others] = scene.nodes.map(nodePart);
  const parts = [first, ...scene.links.map((link) => linkPart(link, scene)), ...others, clientPart(scene)];
  return parts.flatMap((part) => part ? [paint(part[0], pad(part[1], part[2]))] : []).join("  ").trimEnd();
}

function nodePart({ name, isRunning, holds, view }: Scene["nodes"][number]): Part {
  const shape = holds ? "●" : isRunning ? "○" : "✗";
  const [tone, word]: [Tone, string] = !isRunning
    ? ["bad", holds ? "LEASE" : "OFF"]
    : view?.isolated && !holds
    ? ["bad", "ALONE"]
    : holds
    ? ["good", "HOLDS"]
    : view?.phase === "settled"
    ? ["plain", "ready"]
    : ["doubtful", "joins"];
  return [tone, `${name} ${shape} ${word}`, name.length + 8];
}

/** The worse of what the two ends say; `none` while neither end says anything. */
function linkPart(link: string, { nodes }: Scene): Part {
  const states = nodes.flatMap(({ view }) =>
    (view?.peers ?? []).flatMap(({ links }) =>
      links.filter(({ medium }) => medium === link).map(({ state }) => state)
    )
  );
  const [tone, line, word] = linkWords[worstFirst.find((state) => states.includes(state)) ?? "never"];
  return [tone, `${link} ${line} ${word}`, link.length + 8];
}

function clientPart({ unansweredMs }: Scene): Part {
  return unansweredMs !== null && unansweredMs <= servedWithinMs
    ? ["good", "client ✓ ok", 11]
    : ["bad", "client ✗ DOWN", 13];
}
