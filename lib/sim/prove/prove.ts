/**
 * Plays one schedule of a proof on the real core and judges it: were there ever two holders, and was there for longer
 * than a bound none although some node could have held the group?
 */

import { type Cluster, simulate } from "../cluster.ts";
import type { PlannedFault } from "../faults.ts";
import { leaseMs, wireWindowMs } from "../../core/limits.ts";
import type { Simulation } from "../simulation.ts";
import { type MoveKind, movesFor } from "./alphabet.ts";
import {
  fencingMs,
  longestLeaseSeconds,
  phasesFor,
  type Schedule,
  type Space,
  waitsFor,
} from "./schedules.ts";

/** What can be found. */
export type Danger = "two-holders" | "no-holder";

export interface Verdict {
  readonly danger: Danger;
  readonly group: string;
  readonly atMs: number;
  readonly sentence: string;
}

export interface ProofOptions {
  /** Of the small chances: latencies, clocks. */
  readonly seed: number;
  readonly kinds: readonly MoveKind[];
  /** `null`: twice what a takeover may take. */
  readonly boundMs: number | null;
}

/** A cluster made ready to play schedules. */
export class Prover {
  readonly seed: number;
  readonly space: Space;
  /** The cluster is at rest then, and the first fault strikes. */
  readonly beginMs: number;
  /** Without a holder for longer than this, while some node could hold the group, is a danger. */
  readonly boundMs: number;

  constructor(readonly cluster: Cluster, { seed, kinds, boundMs }: ProofOptions) {
    const { settings } = cluster;
    const { deadTimeMs, initDeadMs } = settings.timing;
    this.seed = seed;
    this.space = {
      moves: movesFor(settings, kinds),
      waits: waitsFor(settings),
      phases: phasesFor(settings),
    };
    this.beginMs = initDeadMs + 2 * deadTimeMs + longestStartMs(cluster) + 1_000;
    this.boundMs = boundMs ?? defaultBoundMs(cluster);
  }

  /** The faults of a schedule with their instants. */
  faultsOf(schedule: Schedule): PlannedFault[] {
    let atMs = this.beginMs;
    return schedule.flatMap(({ move, wait }, index) => {
      atMs += (index === 0 ? this.space.phases : this.space.waits)[wait]!;
      const instantMs = atMs;
      return this.space.moves[move]!.faults.map((fault) => ({ atMs: instantMs, fault }));
    });
  }

  /** One line for people. */
  inWords(schedule: Schedule): string {
    return schedule.map(({ move, wait }, index) => {
      const { name } = this.space.moves[move]!;
      const waitMs = this.space.waits[wait]!;
      return index === 0 ? name : waitMs === 0 ? `at once ${name}` : `after ${waitMs} ms ${name}`;
    }).join(", ");
  }

  /** When the schedule has been played: everything that it can cause has shown itself. */
  endMs(schedule: Schedule): number {
    const lastMs = this.faultsOf(schedule).at(-1)?.atMs ?? this.beginMs;
    return lastMs + this.boundMs + 2 * this.cluster.settings.timing.deadTimeMs;
  }

  play(schedule: Schedule): { readonly simulation: Simulation; readonly verdicts: readonly Verdict[] } {
    const simulation = simulate(this.cluster, this.seed);
    const verdicts = new Map<Danger, Verdict>();
    const watch = new HolderWatch(simulation, this.beginMs, this.boundMs, (verdict) => {
      if (!verdicts.has(verdict.danger)) verdicts.set(verdict.danger, verdict);
    });
    simulation.observe({ holdingChanged: (_machine, group) => watch.changed(group) });
    for (const { atMs, fault } of this.faultsOf(schedule)) simulation.at(atMs, fault);
    simulation.run(this.beginMs);
    watch.begin();
    simulation.run(this.endMs(schedule));
    watch.look();
    return { simulation, verdicts: [...verdicts.values()] };
  }
}

/** Follows who holds what, event by event. */
class HolderWatch {
  readonly #unheldSince = new Map<string, number>();
  #isOn = false;

  constructor(
    readonly simulation: Simulation,
    readonly beginMs: number,
    readonly boundMs: number,
    readonly found: (verdict: Verdict) => void,
  ) {}

  begin(): void {
    this.#isOn = true;
    for (const { name } of this.simulation.settings.groups) this.changed(name);
    const look = () => {
      this.look();
      this.simulation.queue.in(this.simulation.settings.timing.keepaliveMs, look);
    };
    look();
  }

  changed(group: string): void {
    if (!this.#isOn) return;
    const holders = this.simulation.holders(group);
    if (holders.length > 1) {
      this.#tell("two-holders", group, `${holders.join(" and ")} both hold ${group}`);
    }
    if (holders.length > 0) this.#unheldSince.delete(group);
    else this.#unheldSince.set(group, this.#unheldSince.get(group) ?? this.simulation.nowMs);
  }

  /** A time in which nobody could hold the group does not count. */
  look(): void {
    const { nowMs } = this.simulation;
    for (const [group, sinceMs] of this.#unheldSince) {
      if (!this.#someoneCould(group)) this.#unheldSince.set(group, nowMs);
      else if (nowMs - sinceMs > this.boundMs) {
        this.#tell("no-holder", group, `nobody has held ${group} for ${Math.round(nowMs - sinceMs)} ms`);
      }
    }
  }

  #someoneCould(group: string): boolean {
    const members = this.simulation.settings.groups.find(({ name }) => name === group)!.nodes;
    return this.simulation.machines.some(({ name, daemon }) =>
      members.includes(name) && daemon !== null && !daemon.isPaused
    );
  }

  #tell(danger: Danger, group: string, sentence: string): void {
    this.found({ danger, group, atMs: this.simulation.nowMs, sentence });
  }
}

function longestStartMs({ settings }: Cluster): number {
  // The simulator's scripts take milliseconds; their limits are for those that hang.
  return 50 * Math.max(1, ...settings.groups.map(({ resources }) => resources.length));
}

/** A takeover with everything that it may have to wait for, twice. */
function defaultBoundMs({ settings }: Cluster): number {
  const fencingsMs = fencingMs(settings) + (settings.fencing?.retryMs ?? 0);
  const { deadTimeMs } = settings.timing;
  return 2 *
    (2 * deadTimeMs + leaseMs(longestLeaseSeconds(settings)) + 2 * wireWindowMs(deadTimeMs) +
      settings.takeoverDelayMs +
      fencingsMs);
}
