/**
 * Messages between lanes: a slanted line for each packet, a broken one ending in a cross for each that was lost. Of too
 * many a sample is shown; which, is decided by counting, so that a picture is the same each time.
 */

import type { PacketRecord } from "../../../lib/sim/heartbeat_network.ts";
import { element, type Markup } from "./elements.ts";
import type { TimeScale } from "./scale.ts";

export interface MessagePlace {
  readonly packets: readonly PacketRecord[];
  /** Names of links, for the kind of line. */
  readonly links: readonly string[];
  readonly scale: TimeScale;
  readonly laneY: ReadonlyMap<string, number>;
}

/** More lines than these cannot be told apart. What is sent again, all at once after a cut, is of less interest. */
const linesMax = 220;
const repeatedMax = 40;

/** A fast message slants by so much at least, to show its direction. */
const slantMin = 7;

export const linkStyles = ["", "second", "third"] as const;

export interface Sample {
  readonly packets: readonly PacketRecord[];
  /** Of how many one is shown; empty: all are. */
  readonly caption: string;
}

/** The packets to draw. `isRepeated`: sent before on the same path, or a request to send again. */
export function sampleOf(
  packets: readonly PacketRecord[],
  isRepeated: (packet: PacketRecord) => boolean,
): Sample {
  const [first, firstStep] = thinned(packets.filter((packet) => !isRepeated(packet)), linesMax);
  const [again, againStep] = thinned(packets.filter(isRepeated), repeatedMax);
  const words = [
    firstStep > 1 ? `, one message in ${firstStep}` : "",
    againStep > 1 ? `, of those that are sent again one in ${againStep}` : "",
  ];
  return { packets: [...first, ...again], caption: words.join("") };
}

/** Every so many-th packet of each path, and how many that is. */
function thinned(packets: readonly PacketRecord[], max: number): [PacketRecord[], number] {
  const step = Math.max(1, Math.ceil(packets.length / max));
  const counts = new Map<string, number>();
  const kept = packets.filter(({ from, medium, to, arrivedMs }) => {
    const path = `${from} ${medium} ${to} ${arrivedMs === null}`;
    const count = counts.get(path) ?? 0;
    counts.set(path, count + 1);
    return count % step === 0;
  });
  return [kept, step];
}

export function drawMessages({ packets, links, scale, laneY }: MessagePlace): Markup {
  const lines = packets.map((packet) => drawMessage(packet, links, scale, laneY));
  return element("g", { class: "messages" }, ...lines);
}

function drawMessage(
  { from, to, medium, sentMs, arrivedMs }: PacketRecord,
  links: readonly string[],
  scale: TimeScale,
  laneY: ReadonlyMap<string, number>,
): Markup {
  const link = links.indexOf(medium);
  // Packets of one beat on several links leave at the same instant: side by side they are seen.
  const x1 = scale.x(sentMs) + link * 4;
  const y1 = laneY.get(from)!;
  const y2 = laneY.get(to)!;
  const style = linkStyles[link % linkStyles.length]!;
  if (arrivedMs === null) {
    const share = 0.4;
    const x = x1 + slantMin * share;
    const y = y1 + (y2 - y1) * share;
    const cross = `M${x - 3.5} ${y - 3.5}L${x + 3.5} ${y + 3.5}M${x + 3.5} ${y - 3.5}L${x - 3.5} ${y + 3.5}`;
    return element(
      "g",
      { class: "lostmessage" },
      element("line", { class: `lost ${style}`, x1, y1, x2: x, y2: y }),
      element("path", { class: "cross", d: cross }),
    );
  }
  const x2 = Math.max(scale.x(arrivedMs) + link * 4, x1 + slantMin);
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [bx, by] = [x2 - dx * 12, y2 - dy * 12];
  const head = `M${x2 - dx * 5} ${y2 - dy * 5}L${bx - dy * 2.6} ${by + dx * 2.6}L${bx + dy * 2.6} ${
    by - dx * 2.6
  }Z`;
  return element(
    "g",
    {},
    element("line", { class: `message ${style}`, x1, y1, x2: bx, y2: by }),
    element("path", { class: "arrow", d: shortened(head) }),
  );
}

function shortened(path: string): string {
  return path.replaceAll(/-?\d+\.\d+/g, (number) => String(Number(Number(number).toFixed(1))));
}
