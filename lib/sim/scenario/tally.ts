/**
 * What a run meant for those who use a group: how long nobody, one or two machines held it, and which moves there were
 * and whether they had to be. Counts from what happened in the world, never from what the nodes believed.
 *
 * | a move is | when                                                                                        |
 * |-----------|---------------------------------------------------------------------------------------------|
 * | asked     | an operator has ordered something since the group was last started                            |
 * | due       | something has struck the former holder since then: a crash, a stall, no power, a script that  |
 * |           | fails; or it has no carrier, or is not where the arbiters are                                 |
 * | false     | neither, and the taker took the former holder for dead: a false failover                      |
 * | needless  | neither, and the former holder let go by itself                                               |
 */

import type { Fault, PlannedFault } from "../faults.ts";
import type { Observer } from "../machine.ts";
import type { Simulation } from "../simulation.ts";
import type { HolderInterval } from "../trace.ts";

export interface Move {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly kind: "asked" | "due" | "false" | "needless";
  /** The taker's own. */
  readonly sentence: string;
}

export interface GroupTally {
  readonly group: string;
  readonly noneMs: number;
  readonly oneMs: number;
  readonly twoMs: number;
  /** Longest time without a holder once there had been one. */
  readonly longestOutageMs: number;
  readonly intervals: readonly HolderInterval[];
  readonly moves: readonly Move[];
}

/** Watches a run from its beginning. Ask for `tallies` when it is over. */
export class Watcher {
  readonly #moves = new Map<string, Move[]>();
  readonly #lastHolder = new Map<string, string>();
  /** By group: who has been struck since its last start, and whether an operator has ordered anything. */
  readonly #struck = new Map<string, Set<string>>();
  readonly #asked = new Map<string, boolean>();

  constructor(readonly simulation: Simulation, events: readonly PlannedFault[]) {
    for (const { atMs, fault } of events) simulation.queue.at(atMs, () => this.#note(fault));
    const observer: Observer = {
      reported: (machine, { code, sentence, fields }) => {
        const group = String(fields.group);
        if (code === "group-starting") this.#started(machine.name, group, sentence);
        else if (blows.has(code)) this.#strike(machine.name);
      },
      ended: (machine) => this.#strike(machine.name),
    };
    simulation.observe(observer);
  }

  tallies(): GroupTally[] {
    const { settings, nowMs, trace } = this.simulation;
    return settings.groups.map(({ name }) => {
      const intervals = trace.holders(name);
      const lengthMs = ({ fromMs, toMs }: HolderInterval) => (toMs ?? nowMs) - fromMs;
      const total = (isCounted: (count: number) => boolean) =>
        intervals.filter(({ holders }) => isCounted(holders.length))
          .reduce((sum, interval) => sum + lengthMs(interval), 0);
      const first = intervals.findIndex(({ holders }) => holders.length > 0);
      const outages = first < 0
        ? intervals
        : intervals.slice(first).filter(({ holders }) => holders.length === 0);
      return {
        group: name,
        noneMs: total((count) => count === 0),
        oneMs: total((count) => count === 1),
        twoMs: total((count) => count > 1),
        longestOutageMs: Math.max(0, ...outages.map(lengthMs)),
        intervals,
        moves: this.#moves.get(name) ?? [],
      };
    });
  }

  #note(fault: Fault): void {
    if (fault.kind === "command") {
      for (const { name } of this.simulation.settings.groups) this.#asked.set(name, true);
    } else if ("node" in fault && isBlow(fault)) this.#strike(fault.node);
  }

  #isCutOff(node: string): boolean {
    const { service, settings } = this.simulation;
    const segment = service.segment(node);
    if (segment === null) return true;
    const arbiters = service.arbiterSegment;
    return settings.arbiters.length > 0 && arbiters !== null && arbiters !== "all" && arbiters !== segment;
  }

  #strike(node: string): void {
    for (const { name } of this.simulation.settings.groups) {
      const struck = this.#struck.get(name) ?? new Set();
      this.#struck.set(name, struck.add(node));
    }
  }

  #started(to: string, group: string, sentence: string): void {
    const from = this.#lastHolder.get(group);
    this.#lastHolder.set(group, to);
    if (from !== undefined && from !== to) {
      const isStruck = this.#struck.get(group)?.has(from) === true || this.#isCutOff(from);
      const peer = this.simulation.view(to)?.peers.find(({ node }) => node === from);
      const kind = this.#asked.get(group) === true
        ? "asked"
        : isStruck
        ? "due"
        : peer?.state === "down"
        ? "false"
        : "needless";
      const moves = this.#moves.get(group) ?? [];
      this.#moves.set(group, moves);
      moves.push({ atMs: this.simulation.nowMs, from, to, kind, sentence });
    }
    this.#asked.set(group, false);
    this.#struck.get(group)?.delete(to);
  }
}

/** Reports of a node about itself after which a move is no false one. */
const blows: ReadonlySet<string> = new Set(["monitor-failed", "start-failed", "stop-failed", "stalled"]);

/** Whether a fault of a node is a reason to move what it holds. */
function isBlow(fault: Fault): boolean {
  switch (fault.kind) {
    case "kill":
    case "pause":
    case "freeze":
    case "power-off":
    case "remove-address":
    case "script":
      return true;
    case "segment":
      return fault.segment === null;
    default:
      return false;
  }
}
