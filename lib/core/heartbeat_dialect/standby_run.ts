/**
 * One run of the negotiation of `standby.ts`: which set it is about, how long a step may take, and what is said and
 * ordered on the way. The keepers start and stop; this tells them, by statement, objection and pin, when they may.
 */

import type { Context } from "../context.ts";
import { after, type Instant } from "../instant.ts";
import type { Outbox } from "../messaging/outbox.ts";
import type { Keeper } from "../ownership/keeper.ts";
import type { Surroundings } from "../ownership/surroundings.ts";
import { covers, type GroupSet, type Holding, type Side, swapped, together, without } from "./holding.ts";
import * as say from "./messages.ts";
import type { Pair } from "./pair.ts";
import type { Partner } from "./partner.ts";
import { type StandbyInput, type StandbyState, standbySteps } from "./standby.ts";
import { offerMs, offerPauseMs, offersMax, promiseMs, stepMs } from "./times.ts";

export class Standby {
  state: StandbyState = "idle";
  /** What is negotiated, in our words. */
  #set: GroupSet | null = null;
  #until: Instant | null = null;
  #nextOfferAt: Instant | null = null;
  /** The giver has begun: its set is struck off its statement. */
  #hasBegun = false;
  /** A set that we promised to take, and gave up since its giver did not begin; it may do so all the same. */
  #overdue: GroupSet | null = null;
  #declined = 0;
  #declinedSet: Holding = "none";
  /** Sets that are ours by the moves so far; counts where a set has no groups and is held only in name. */
  inName: Holding = "local";

  constructor(readonly pair: Pair, readonly partner: Partner, readonly outbox: Outbox) {}

  get isIdle(): boolean {
    return this.state === "idle";
  }

  isGiving(side: Side): boolean {
    return this.#is(side, "offered", "releasing", "handed");
  }

  isReleasing(side: Side): boolean {
    return this.#is(side, "releasing");
  }

  isPromised(side: Side): boolean {
    return this.#is(side, "promised");
  }

  isTaking(side: Side): boolean {
    return this.#is(side, "taking");
  }

  /** Offered in vain, again and again. */
  hasDeclined(side: Side): boolean {
    return this.#declined >= offersMax && covers(this.#declinedSet, side);
  }

  /** What the daemon may be starting or stopping for us: nothing but the end of the move tells that it is not held. */
  get undecided(): Holding {
    return this.state === "handed" || this.state === "promised" ? this.#set! : "none";
  }

  /** Let go, or being let go: no longer part of what we state. */
  get givenAway(): Holding {
    return this.state === "releasing" || this.state === "handed" ? this.#set! : "none";
  }

  deadlines(): (Instant | null)[] {
    return [this.#until, this.isIdle ? this.#nextOfferAt : null];
  }

  forgive(): void {
    this.#declined = 0;
    this.#nextOfferAt = null;
  }

  offer(context: Context, set: GroupSet): void {
    if (!this.isIdle || (this.#nextOfferAt !== null && context.now < this.#nextOfferAt)) return;
    this.state = "offered";
    this.#set = set;
    this.#overdue = null;
    this.#until = after(context.now, offerMs);
    this.outbox.send(context, say.ask(set, "me"));
    const names = this.#names(set);
    context.report("notice", "standby-offers", `offering ${names} to ${this.pair.other}, where it belongs`);
  }

  /** `canTake`: both sides are stable, so that a negotiation may begin. */
  hear(
    context: Context,
    surroundings: Surroundings,
    { set, step }: Extract<say.Word, { kind: "ask" }>,
    canTake: boolean,
  ): void {
    // The giver names the set: in its words where it speaks of its own giving, in ours where it answers ours.
    const isOurs = this.state === "offered" || this.state === "releasing" || this.state === "handed";
    const ours = step === "me" || !isOurs ? swapped(set) : set;
    if (step === "me" && this.isIdle) {
      const hindrance = this.#hindrance(surroundings, ours, canTake);
      if (hindrance !== null) {
        const sentence = `${this.pair.other} offers ${
          this.#names(ours)
        }, which cannot be taken: ${hindrance}`;
        context.report("warning", "standby-refused", sentence);
        return;
      }
      this.#set = ours;
      this.#overdue = null;
    } else if (step === "done" && this.isIdle && ours === this.#overdue) {
      this.#resume(context, surroundings);
    } else if (step !== "me" && this.#set !== ours) {
      context.report("info", "standby-ignored", `"${step}" of ${this.pair.other} is about another set: left`);
      return;
    }
    this.#step(context, surroundings, `hears-${step}`);
  }

  /** A statement of the daemon, which tells something of the move where it cannot be from before. */
  hearStatement(
    context: Context,
    surroundings: Surroundings,
    { holds, isFull, isStable, info }: Extract<say.Word, { kind: "resource" }>,
  ): void {
    const set = this.#set ?? this.#overdue;
    if (set === null || !isFull) return;
    const named = without(swapped(holds), without("all", set));
    if (info === "standby" && named === "none") {
      if (this.isIdle) this.#resume(context, surroundings);
      else if (this.state === "promised") this.#begins(context, surroundings);
    } else if (isStable === true && named === set) {
      if (this.state === "handed" || this.#hasBegun) this.#step(context, surroundings, "states-held");
    }
  }

  /** The giver heard our promise after all. */
  #resume(context: Context, surroundings: Surroundings): void {
    this.#set = this.#overdue;
    this.#begins(context, surroundings);
  }

  #begins(context: Context, surroundings: Surroundings): void {
    this.#step(context, surroundings, "begins");
    this.#hasBegun = true;
    this.#until = after(context.now, stepMs);
  }

  partnerGone(context: Context): void {
    this.#overdue = null;
    this.#step(context, null, "partner-gone");
  }

  /** Our own part may be complete, or too late. */
  progress(context: Context, surroundings: Surroundings): void {
    if (this.#set === null) return;
    const keepers = this.pair.of(this.#set);
    if (this.state === "releasing" && keepers.every(isStopped)) {
      this.#step(context, surroundings, "released");
    } else if (this.state === "taking" && keepers.every((keeper) => isTaken(keeper, surroundings))) {
      this.#step(context, surroundings, "taken");
    } else if (this.#until !== null && context.now >= this.#until) {
      this.#step(context, surroundings, "expired");
    }
  }

  #is(side: Side, ...states: readonly StandbyState[]): boolean {
    return this.#set !== null && states.includes(this.state) && covers(this.#set, side);
  }

  #step(context: Context, surroundings: Surroundings | null, input: StandbyInput): void {
    const from = this.state;
    const { to, act } = standbySteps[from][input];
    this.state = to;
    if (to !== from) {
      this.#until = to === "idle" ? null : after(context.now, to === "promised" ? promiseMs : stepMs);
      this.#hasBegun = false;
    }
    const set = this.#set;
    switch (act) {
      case "nothing":
        break;
      case "ignore":
        context.report("info", "standby-ignored", `${input} does not fit while ${from}: left`);
        break;
      case "say-other":
        this.outbox.send(context, say.ask(swapped(set!), "other"));
        context.report(
          "notice",
          "standby-takes",
          `ready to take ${this.#names(set!)} from ${this.pair.other}`,
        );
        break;
      case "release":
        for (const { name } of this.pair.of(set!)) surroundings!.directives.setPin(name, this.pair.other);
        break;
      case "say-done":
        this.#done(context, from, set!);
        break;
      case "take":
        this.partner.freed(swapped(set!));
        this.#pin(surroundings!, set!, this.pair.self);
        break;
      case "finish":
        this.#declined = 0;
        this.partner.assume(swapped(set!));
        this.#pin(surroundings!, set!, this.pair.other);
        context.report("notice", "standby-done", `${this.pair.other} has taken ${this.#names(set!)}`);
        break;
      case "cancel":
        this.#cancelled(context, surroundings, from, input);
        break;
    }
    if (to === "idle") this.#set = null;
  }

  /** As giver: all is stopped, and from now on the other one may start at any time. As taker: all is started. */
  #done(context: Context, from: StandbyState, set: GroupSet): void {
    const isGiver = from === "releasing";
    this.outbox.send(context, say.ask(isGiver ? set : swapped(set), "done"));
    if (isGiver) this.partner.takes(swapped(set));
    this.inName = isGiver ? without(this.inName, set) : together(this.inName, set);
  }

  #cancelled(
    context: Context,
    surroundings: Surroundings | null,
    from: StandbyState,
    input: StandbyInput,
  ): void {
    const { other } = this.pair;
    const names = this.#names(this.#set!);
    const why = input === "expired"
      ? "no answer in time"
      : input === "states-held"
      ? `${other} holds them after all`
      : `${other} is gone, or has given it up`;
    context.report("warning", "standby-cancelled", `move of ${names} between us and ${other} ends: ${why}`);
    // It has given the move up by now, and says so to nobody: it is asked what it holds.
    if (from === "handed" && input === "expired") this.partner.forget();
    if (from === "promised" && input === "expired") this.#overdue = this.#set;
    if (from !== "offered" || surroundings === null) return;
    this.#declined = this.#declinedSet === this.#set ? this.#declined + 1 : 1;
    this.#declinedSet = this.#set!;
    this.#nextOfferAt = after(context.now, offerPauseMs);
    // What runs here stays here: an order that cannot be carried out must not wait to surprise somebody later.
    for (const keeper of this.pair.of(this.#set!)) {
      if (keeper.machine.state === "running" && surroundings.directives.pinnedNode(keeper.name) === other) {
        surroundings.directives.setPin(keeper.name, null);
      }
    }
  }

  /** Places the groups of a set. Where that is their preferred node anyway, an order is not needed. */
  #pin({ directives }: Surroundings, set: GroupSet, node: string): void {
    for (const keeper of this.pair.of(set)) {
      directives.setPin(keeper.name, keeper.settings.nodes[0] === node ? null : node);
    }
  }

  #hindrance(surroundings: Surroundings, set: GroupSet, canTake: boolean): string | null {
    if (surroundings.phase !== "settled") return "this node is still waiting to hear from the other node";
    if (surroundings.isMaintenance) return "maintenance is on";
    if (!canTake) return "one of the two nodes is in the middle of something";
    const unable = this.pair.of(set).find((keeper) => !keeper.isAble(surroundings));
    return unable === undefined ? null : `${unable.name} cannot run here now`;
  }

  #names(set: Holding): string {
    return this.pair.of(set).map(({ name }) => name).join(", ") || `nothing (${set})`;
  }
}

function isStopped({ machine }: Keeper): boolean {
  return machine.state === "stopped";
}

/** It runs, or it was tried and will not: the other one must not wait for it. */
function isTaken(keeper: Keeper, surroundings: Surroundings): boolean {
  const { state } = keeper.machine;
  return state === "running" || state === "blocked" ||
    (state === "stopped" && !keeper.isAble(surroundings));
}
