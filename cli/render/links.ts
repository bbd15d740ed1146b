/** `heartline status --links`: what each link has carried, lost and repeated, and how long it takes. For people. */

import type { LinkView, NodeView, PeerView, TrafficView } from "../../lib/core/view.ts";
import type { StatusStyle } from "./status.ts";
import { linkState } from "./status_sections.ts";
import { type Cell, renderTable } from "./table.ts";

const heads = ["link", "state", "rtt", "jitter", "sent", "recv", "lost", "twice", "swap", "again"];

const trafficHeads = ["medium", "packets out", "bytes", "not sent", "packets in", "bytes"];

/** Lines without their ends. Times are milliseconds. */
export function renderLinks(view: NodeView, style: StatusStyle): string[] {
  const { width, paint } = style;
  const table = (rows: ReadonlyArray<readonly Cell[]>) =>
    renderTable(rows, { width, indent: 2, widthsMax: [14] });
  const ofPeers = view.peers.flatMap((peer, index) => [
    ...(index === 0 ? [] : [""]),
    paint.strong(`LINKS TO ${peer.node}`),
    ...table([
      heads.map((text) => ({ text, paint: paint.faint })),
      ...peer.links.map((link) => linkRow(peer, link, style)),
    ]),
    ...peer.links.flatMap(({ medium, refused }) => {
      const counts = Object.entries(refused).filter(([, count]) => count > 0);
      if (counts.length === 0) return [];
      return table([[medium, `refused: ${counts.map(([why, count]) => `${why} ${count}`).join(", ")}`]]);
    }),
    ...table([[exchangeFacts(peer)]]),
  ]);
  const traffic = Object.entries(view.traffic ?? {});
  if (traffic.length === 0) return ofPeers;
  return [
    ...ofPeers,
    "",
    paint.strong("MEDIA, TO AND FROM ALL"),
    ...table([
      trafficHeads.map((text) => ({ text, paint: paint.faint })),
      ...traffic.map(([medium, each]) => trafficRow(medium, each, style)),
    ]),
  ];
}

function trafficRow(medium: string, traffic: TrafficView, { paint }: StatusStyle): readonly Cell[] {
  const { sentPackets, sentBytes, sendErrors, receivedPackets, receivedBytes } = traffic;
  const unsent = count(sendErrors);
  return [
    medium,
    count(sentPackets),
    count(sentBytes),
    sendErrors === 0 ? unsent : { text: unsent, paint: paint.doubtful },
    count(receivedPackets),
    count(receivedBytes),
  ];
}

function linkRow(peer: PeerView, link: LinkView, { paint }: StatusStyle): readonly Cell[] {
  return [
    link.medium,
    peer.state === "left" ? "closed" : linkState(link, paint),
    milliseconds(link.roundTripMs),
    milliseconds(link.jitterMs),
    ...[link.sent, link.received, link.lost, link.duplicates, link.reordered, link.retransmitted].map(count),
  ];
}

function exchangeFacts({ exchange }: PeerView): string {
  const { missing, requests, irretrievable, resent, unanswered, unacknowledged } = exchange;
  const facts = [`${requests} requests for lost messages`, `${resent} sent again`];
  if (unanswered > 0) facts.push(`${unanswered} asked for too often`);
  if (missing > 0) facts.push(`${missing} missing now`);
  if (irretrievable > 0) facts.push(`${irretrievable} LOST for good`);
  return [...facts, `${unacknowledged} unacknowledged`].join(", ");
}

function milliseconds(ms: number | null): string {
  return ms === null ? "-" : ms.toFixed(1);
}

/** At most five characters. */
function count(value: number): string {
  if (value < 10_000) return String(value);
  if (value < 1e6) return `${Math.floor(value / 1e3)}k`;
  return `${Math.floor(value / 1e6)}M`;
}
