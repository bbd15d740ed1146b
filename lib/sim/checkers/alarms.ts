/**
 * The promise that every alarm that is due is raised: whoever has lost a node, a link, or one direction of a link says
 * so. What is lost is read from the simulated world, never from a node. That alarms are cleared again is judged after
 * the heal (`convergence.ts`).
 *
 * | for longer than a dead time and more…                        | the node that hears nothing has the alarm      |
 * |--------------------------------------------------------------|------------------------------------------------|
 * | no packet of another node can arrive, on any link            | `node-dead` or `node-missing`                  |
 * | none can arrive on one link, while others carry               | `link-lost`                                    |
 * | packets arrive on a link, and none of ours reaches that node  | `one-way`                                      |
 */

import { neighbourRetryMs } from "../../core/limits.ts";
import { goodLink, type LinkQuality } from "../heartbeat_network.ts";
import type { Machine } from "../machine.ts";
import type { Simulation } from "../simulation.ts";

type Loss = "node" | "link" | "one-way";

const codes: Readonly<Record<Loss, readonly string[]>> = {
  node: ["node-dead", "node-missing"],
  link: ["link-lost"],
  "one-way": ["one-way"],
};

/** Looks again and again until an instant. */
export function alarmsAreRaised(simulation: Simulation, untilMs: number): void {
  const everyMs = simulation.settings.timing.deadTimeMs / 2;
  const since = new Map<string, number>();
  const look = () => {
    if (simulation.nowMs >= untilMs) return;
    for (const observer of simulation.machines) {
      for (const other of simulation.machines) {
        if (other !== observer) judge(simulation, since, observer, other);
      }
    }
    simulation.queue.in(everyMs, look);
  };
  simulation.queue.at(everyMs, look);
}

function judge(simulation: Simulation, since: Map<string, number>, observer: Machine, other: Machine): void {
  const { media } = simulation.heartbeats;
  const changedMs = Math.max(
    simulation.heartbeats.changedMs(observer.name, other.name),
    observer.daemonChangedMs,
    other.daemonChangedMs,
  );
  const lasting = (loss: Loss, medium: string, isSo: boolean) => {
    const key = `${loss} ${observer.name} ${other.name} ${medium}`;
    if (!isSo) return void since.delete(key);
    const from = Math.max(changedMs, since.get(key) ?? simulation.nowMs);
    since.set(key, from);
    if (simulation.nowMs - from >= patienceMs(simulation, loss, observer, other)) {
      demand(simulation, loss, observer, other, medium);
    }
  };
  const isAttentive = listens(observer);
  const isSilent = !listens(other) || media.every((medium) => isCut(simulation, other, medium, observer));
  lasting("node", "", isAttentive && isSilent);
  for (const medium of media) {
    const isHeardElsewhere = listens(other) &&
      media.some((each) => isGood(simulation, other, each, observer));
    const isDead = isCut(simulation, other, medium, observer);
    lasting("link", medium, isAttentive && isHeardElsewhere && isDead);
    const isOneWay = isGood(simulation, other, medium, observer) &&
      isCut(simulation, observer, medium, other);
    lasting("one-way", medium, isAttentive && listens(other) && isOneWay);
  }
}

function demand(simulation: Simulation, loss: Loss, observer: Machine, other: Machine, medium: string): void {
  const view = simulation.view(observer.name);
  const peer = view?.peers.find(({ node }) => node === other.name);
  // One that stood still listens first; one that said goodbye is no loss.
  if (view === null || view.phase !== "settled" || peer === undefined || peer.state === "left") return;
  const subject = medium === "" ? other.name : `${other.name} ${medium}`;
  if (view.alarms.some((alarm) => codes[loss].includes(alarm.code) && alarm.subject === subject)) return;
  simulation.fail("alarm", `${observer.name} has no alarm ${codes[loss].join(" or ")} about ${subject}`);
}

/** Generous, because the promise is that it is raised, not how soon: waits, clocks and timers of both nodes add up. */
function patienceMs(simulation: Simulation, loss: Loss, observer: Machine, other: Machine): number {
  const { deadTimeMs, initDeadMs, keepaliveMs } = simulation.settings.timing;
  const paths = simulation.heartbeats.media.map((medium) => qualityOf(simulation, other, medium, observer));
  const underWayMs = Math.max(...paths.map(({ latencyMs, jitterMs }) => latencyMs + jitterMs));
  const isMissing = observer.daemon?.node.roster.peer(other.name)?.heardAt === null;
  const moreMs = loss === "one-way" ? deadTimeMs + neighbourRetryMs : isMissing ? initDeadMs : 0;
  return deadTimeMs + 3 * keepaliveMs + 300 + underWayMs + moreMs;
}

function listens({ daemon }: Machine): boolean {
  return daemon !== null && !daemon.isPaused && !daemon.isOver;
}

function isCut(simulation: Simulation, from: Machine, medium: string, to: Machine): boolean {
  return qualityOf(simulation, from, medium, to).isCut;
}

function isGood(simulation: Simulation, from: Machine, medium: string, to: Machine): boolean {
  const { isCut, lossRate, latencyMs } = qualityOf(simulation, from, medium, to);
  return !isCut && lossRate === 0 && latencyMs <= goodLink.latencyMs;
}

function qualityOf(simulation: Simulation, from: Machine, medium: string, to: Machine): LinkQuality {
  return simulation.heartbeats.quality(from.name, medium, to.name);
}
