/** The parts of `status` that have rows: groups with their resources, peers with their links, arbiters, fencing. */

import type {
  ArbiterView,
  GroupView,
  LinkView,
  NodeView,
  PeerView,
  ResourceView,
} from "../../lib/core/view.ts";
import { renderAge, renderAgo } from "./ages.ts";
import type { Paint } from "./paint.ts";
import type { StatusStyle } from "./status.ts";
import { type Cell, renderTable } from "./table.ts";

/** Output of a failed resource that is shown; `--json` has all of it. */
const outputLinesMax = 4;

export function groupLines(view: NodeView, group: GroupView, { width, paint }: StatusStyle): string[] {
  const isSplit = group.holders.length > 1;
  const holders = group.holders.map((node) => node === view.node ? `${node} (here)` : node).join(" AND ");
  const where = isSplit
    ? { text: `HELD TWICE: ${holders}`, paint: paint.bad }
    : group.holders.length === 0
    ? { text: "HELD BY NOBODY", paint: paint.doubtful }
    : { text: `held by ${holders}`, paint: paint.good };
  const facts = [`epoch ${group.epoch}`];
  if (group.pinnedTo !== null) facts.push(`put on ${group.pinnedTo} by hand`);
  if (group.placedOn !== null && !group.holders.includes(group.placedOn)) {
    facts.push(`belongs on ${group.placedOn}`);
  }
  if (!group.able) facts.push("NOT ABLE here");
  if (group.lastGapMs !== null) facts.push(`last move ${renderAge(group.lastGapMs)}`);
  const resources = group.resources.filter((resource) => isWorthShowing(group, resource));
  const say = (text: Cell, indent: number) => renderTable([[text]], { width, indent, widthsMax: [] });
  const pending = group.pending.join(" > ");
  return [
    // A name is never elided: it is what takeover and standby take.
    ...say({ text: group.group, paint: paint.strong }, 2),
    ...say(where, 4),
    ...say(`${groupState(group)} here; ${facts.join("; ")}`, 4),
    ...say(group.reason, 4),
    ...(pending === "" ? [] : say({ text: `TAKEOVER UNDER WAY: ${pending}`, paint: paint.doubtful }, 4)),
    ...renderTable(resources.map((resource) => resourceRow(resource, paint)), {
      width,
      indent: 6,
      widthsMax: [44],
    }),
    ...resources.filter((resource) => resource.state === "failed" || resource.state === "unknown")
      .flatMap((resource) => outputLines(resource, width)),
  ];
}

function groupState({ state }: GroupView): string {
  return state === "blocked" || state === "unknown" ? state.toUpperCase() : state;
}

/** A group that is somewhere else needs no list of stopped resources. */
function isWorthShowing(group: GroupView, resource: ResourceView): boolean {
  return group.state !== "stopped" || (resource.state !== "stopped" && resource.state !== "unknown");
}

function resourceRow({ id, state, last }: ResourceView, paint: Paint): readonly Cell[] {
  const isBad = state === "failed" || state === "unknown";
  if (!isBad) return [id, state];
  const code = last?.code === null || last === null ? "" : `, exit ${last.code}`;
  const reason = last === null || last.reason === "" ? "" : `: ${last.reason}`;
  return [id, { text: `${state.toUpperCase()}${code}${reason}`, paint: paint.bad }];
}

function outputLines({ last }: ResourceView, width: number): string[] {
  const output = (last?.output ?? []).filter((line) => line !== last?.reason).slice(-outputLinesMax);
  return renderTable(output.map((line) => ["|", line]), { width, indent: 8, widthsMax: [] });
}

export function peerRows(view: NodeView, paint: Paint): ReadonlyArray<readonly Cell[]> {
  return view.peers.flatMap((peer) => [
    [peer.node, peerState(peer, paint), renderAgo(peer.heardAgoMs), peerFacts(view, peer)],
    ...peer.links.map((link) => [
      `  ${link.medium}`,
      // After a goodbye, silence is as it should be.
      peer.state === "left" ? "closed" : linkState(link, paint),
      renderAgo(link.heardAgoMs),
      linkFacts(link),
    ]),
  ]);
}

function peerState({ state }: PeerView, paint: Paint): Cell {
  if (state === "alive") return { text: state, paint: paint.good };
  return { text: state === "down" ? "DOWN" : state, paint: state === "down" ? paint.bad : paint.doubtful };
}

function peerFacts(view: NodeView, peer: PeerView): string {
  const up = peer.links.filter((link) => link.state === "up").length;
  const facts: string[] = [];
  if (up < peer.links.length && peer.state !== "left") facts.push(`${up} of ${peer.links.length} links up`);
  const isInView = peer.state === "alive" || peer.state === "init";
  if (isInView && peer.hearsUs === false) facts.push("DOES NOT HEAR US");
  if (peer.unfinished !== null) facts.push(peer.unfinished);
  if (peer.settingsDiffer) facts.push("SETTINGS DIFFER from ours");
  if (peer.version !== null && peer.version !== view.version) facts.push(`heartline ${peer.version}`);
  if (peer.version === null && peer.heardAgoMs !== null) facts.push("a Heartbeat daemon");
  if (peer.deadTimeMs !== view.timing.deadTimeMs) facts.push(`deadtime ${renderAge(peer.deadTimeMs)}`);
  return facts.join(", ");
}

export function linkState({ state }: LinkView, paint: Paint): Cell {
  if (state === "up") return { text: state, paint: paint.good };
  return state === "late" || state === "never"
    ? { text: state.toUpperCase(), paint: paint.doubtful }
    : { text: state.toUpperCase(), paint: paint.bad };
}

function linkFacts({ state, received, lost }: LinkView): string {
  const facts = [`${received} received`];
  if (lost > 0) facts.push(`${lost} lost`);
  if (state === "one-way") facts.push("we hear it, it does not hear us");
  return facts.join(", ");
}

export function pingRows(view: NodeView, paint: Paint): ReadonlyArray<readonly Cell[]> {
  return view.pings.map(({ name, state, answeredAgoMs, targets }) => [
    name,
    state === "up"
      ? { text: state, paint: paint.good }
      : { text: state.toUpperCase(), paint: state === "dead" ? paint.bad : paint.doubtful },
    renderAgo(answeredAgoMs),
    targets.join(", "),
  ]);
}

/** A node that was fenced long ago, and is still away, is no news but worth knowing. */
export function fencingRows(view: NodeView, paint: Paint): ReadonlyArray<readonly Cell[]> {
  return view.fencing.map(({ node, state, sentence, fencedAgoMs }) => [
    node,
    state === "fenced"
      ? { text: "fenced", paint: paint.good }
      : { text: state.toUpperCase(), paint: state === "failed" ? paint.bad : paint.doubtful },
    fencedAgoMs === null ? "" : renderAgo(fencedAgoMs),
    sentence,
  ]);
}

/** What each device said of the nodes that it could fence, by its last test. */
export function fenceRows(view: NodeView, paint: Paint): ReadonlyArray<readonly Cell[]> {
  return (view.fenceDevices ?? []).map(({ device, state, power, reason, testedAgoMs }) => [
    device,
    state === "answers"
      ? { text: state, paint: paint.good }
      : { text: state.toUpperCase(), paint: state === "untested" ? paint.doubtful : paint.bad },
    testedAgoMs === null ? "not tested yet" : `tested ${renderAgo(testedAgoMs)}`,
    state === "answers" || reason === ""
      ? Object.entries(power).map(([node, is]) => `${node} is ${is}`).join(", ")
      : reason,
  ]);
}

export function arbiterRows(view: NodeView, paint: Paint): ReadonlyArray<readonly Cell[]> {
  return view.arbiters.map((arbiter: ArbiterView) => [
    arbiter.name,
    arbiter.reachable ? { text: "reachable", paint: paint.good } : { text: "UNREACHABLE", paint: paint.bad },
    renderAgo(arbiter.answeredAgoMs),
    `when cut off: ${arbiter.policy}`,
  ]);
}
