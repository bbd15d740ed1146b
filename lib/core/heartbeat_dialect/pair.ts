/**
 * The groups of a haresources pair as this node sees them: which set each belongs to, what of them may run here, and
 * which belong on the other node. Read-only; what follows from it is decided by the dialect.
 */

import type { Keeper } from "../ownership/keeper.ts";
import { mayHold } from "../ownership/placement.ts";
import { covers, type Holding, holding, type Side } from "./holding.ts";

export class Pair {
  /** The groups that both nodes may hold; the others are nobody's business. */
  readonly keepers: readonly Keeper[];

  constructor(readonly self: string, readonly other: string, keepers: readonly Keeper[]) {
    this.keepers = keepers.filter(({ settings }) =>
      settings.nodes.includes(self) && settings.nodes.includes(other)
    );
  }

  /** The family that the settings want. */
  get isLegacy(): boolean {
    return this.keepers.some(({ settings }) => settings.failback.kind === "legacy");
  }

  /** `null`: not a group of the pair. */
  sideOf(group: string): Side | null {
    const keeper = this.keepers.find(({ name }) => name === group);
    return keeper === undefined ? null : side(keeper, this.self);
  }

  of(set: Holding): readonly Keeper[] {
    return this.keepers.filter((keeper) => covers(set, side(keeper, this.self)));
  }

  /** Groups of the same sets as these that are where these are and were not named. */
  leftOut(groups: readonly string[]): readonly string[] {
    const isNamed = ({ name }: Keeper) => groups.includes(name);
    const isHere = ({ machine }: Keeper) => mayHold(machine.state);
    return this.keepers.filter((keeper) =>
      !isNamed(keeper) && this.keepers.some((named) =>
        isNamed(named) && isHere(named) === isHere(keeper) &&
        this.sideOf(named.name) === this.sideOf(keeper.name)
      )
    ).map(({ name }) => name);
  }

  /** The sets with a group for which this is so. */
  where(isSo: (keeper: Keeper, of: Side) => boolean): Holding {
    const has = (of: Side) => this.of(of).some((keeper) => isSo(keeper, of));
    return holding(has("local"), has("foreign"));
  }

  /** What may run here by an order of ours. */
  get running(): Holding {
    return this.where(({ machine: { state } }) => mayHold(state) && state !== "unknown");
  }

  /** What may run here, or is about to: as Heartbeat, which states a set before it starts it. */
  held(isFree: (of: Side) => boolean): Holding {
    return this.where((keeper, of) =>
      mayHold(keeper.machine.state) ||
      (keeper.claim.isMade && keeper.placedOn === this.self && isFree(of))
    );
  }

  /** Sets that have no group at all: somebody holds them only in name. */
  get empty(): Holding {
    return holding(this.of("local").length === 0, this.of("foreign").length === 0);
  }

  /** Leftovers of an earlier life are still looked for. */
  get isProbing(): boolean {
    return this.keepers.some(({ machine }) => machine.state === "unknown");
  }

  /** Something is being started or stopped. */
  get isBusy(): boolean {
    return this.keepers.some(({ machine }) => machine.state === "starting" || machine.state === "stopping");
  }
}

function side(keeper: Keeper, self: string): Side {
  return keeper.settings.nodes[0] === self ? "local" : "foreign";
}
