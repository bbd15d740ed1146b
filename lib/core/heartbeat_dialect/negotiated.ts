/**
 * The family of statements and negotiation (`auto_failback on` or `off`, protocol reference 9.2 to 9.6): says what we
 * hold, offers what belongs over there, asks for what an operator wants here. It must never say that a set is free
 * while one of its groups may run here.
 *
 * Where Heartbeat waits ten seconds when both start together, we do not: a set is ours to take as soon as the other
 * one has stated that it does not hold it, and its own set we leave to it until it is stable.
 */

import type { Context } from "../context.ts";
import { Credit } from "../credit.ts";
import { after, type Instant } from "../instant.ts";
import type { Outbox } from "../messaging/outbox.ts";
import type { Surroundings } from "../ownership/surroundings.ts";
import { type Family, mismatch } from "./family.ts";
import { type Holding, seenByOther, type Side, swapped, together, without } from "./holding.ts";
import * as say from "./messages.ts";
import type { Pair } from "./pair.ts";
import { type Hold, Partner } from "./partner.ts";
import { Standby } from "./standby_run.ts";
import { TakeoverRequest } from "./takeover_request.ts";
import { answersAtOnceMax, answersPerSecondMax, askAgainMs } from "./times.ts";

export class Negotiated implements Family {
  readonly partner = new Partner();
  readonly standby: Standby;
  readonly #takeovers: TakeoverRequest;
  /** Our last statement, as text; `null`: none in this talk. */
  #stated: string | null = null;
  #owesStatement = false;
  /** It considers giving back only when it hears that we have become stable (protocol reference 9.6). */
  #owesEdge = false;
  readonly #answers = new Credit(answersAtOnceMax, answersPerSecondMax);
  #askAt: Instant | null = null;
  /** What it holds was not told but assumed: it is asked all the same. */
  #isAssumed = false;

  constructor(readonly pair: Pair, readonly outbox: Outbox) {
    this.standby = new Standby(pair, this.partner, outbox);
    this.#takeovers = new TakeoverRequest(pair, outbox);
  }

  get isKnown(): boolean {
    return this.partner.isKnown;
  }

  hold(group: string): Hold {
    const side = this.pair.sideOf(group);
    return side === null ? "free" : this.#holdOf(side);
  }

  isAble(group: string): boolean {
    const side = this.pair.sideOf(group);
    return side !== null && this.partner.isKnown && !this.standby.hasDeclined(side);
  }

  wants(group: string): boolean {
    const side = this.pair.sideOf(group);
    return side !== null && this.standby.isReleasing(side);
  }

  objection(group: string): string | null {
    const side = this.pair.sideOf(group);
    if (side === null) return null;
    const { other } = this.pair;
    if (this.standby.isGiving(side)) return `${group} is being handed to ${other}`;
    if (this.standby.isPromised(side)) return `waiting until ${other} has let go`;
    if (side === "foreign" && !this.partner.isStable && !this.standby.isTaking(side)) {
      return `${other} is about to take part and may take it itself`;
    }
    return null;
  }

  get unfinished(): string | null {
    const { other } = this.pair;
    if (!this.partner.isKnown) return `${other} has not said yet what it holds`;
    if (!this.standby.isIdle) return `a move between this node and ${other} is under way`;
    return this.partner.isStable ? null : `the Heartbeat daemon of ${other} is in the middle of something`;
  }

  /** A Heartbeat daemon moves whole sets (protocol reference 9.1). */
  refusal(groups: readonly string[]): string | null {
    const { pair: { other }, unfinished } = this;
    if (unfinished !== null) return `${unfinished}: heartline status tells when that is over`;
    const left = this.pair.leftOut(groups).join(", ");
    if (left === "") return null;
    return `the Heartbeat daemon of ${other} moves all groups of a node together: name ${left} too, or none for all`;
  }

  deadlines(): (Instant | null)[] {
    return [this.#askAt, this.#takeovers.nextAt, ...this.standby.deadlines()];
  }

  forget(context: Context): void {
    this.standby.partnerGone(context);
    this.standby.forgive();
    this.partner.forget();
    this.#isAssumed = false;
    this.#takeovers.end();
    this.standby.inName = together(this.standby.inName, "local");
    this.begin(context);
  }

  begin(context: Context): void {
    this.#stated = null;
    this.#owesEdge = false;
    this.#askAt = context.now;
  }

  end(context: Context, isLost: boolean): void {
    this.standby.partnerGone(context);
    if (isLost) this.standby.inName = "all";
  }

  /**
   * It has declared us dead, and with that ended whatever was negotiated (protocol reference 9.4). Right after our own
   * start that is about our run before, and what it holds is still asked: nothing else would make it speak.
   */
  assumeAll(context: Context): void {
    this.standby.partnerGone(context);
    if (!this.partner.isKnown) this.#isAssumed = true;
    this.partner.assume("all");
    this.partner.isStable = false;
  }

  assumeOurs(context: Context): void {
    this.partner.assume(swapped(this.pair.running));
    this.partner.isStable = false;
    this.#isAssumed = true;
    this.begin(context);
  }

  freedAll(): void {
    this.#isAssumed = false;
    this.partner.freed("all");
    this.partner.isStable = true;
  }

  hear(context: Context, surroundings: Surroundings, word: say.Word): void {
    switch (word.kind) {
      case "starting":
        this.#isAssumed = false;
        this.partner.starts();
        this.#owesStatement = true;
        return;
      case "resource":
        this.#isAssumed = false;
        if (this.partner.states(word, swapped(this.standby.undecided))) this.#owesStatement = true;
        // It has finished taking over from our run before, and what we have stated since went by.
        if (word.info === "mach_down") this.#owesEdge = this.#stated !== null;
        this.standby.hearStatement(context, surroundings, word);
        return context.clear("failback-differs", this.pair.other, `${this.pair.other} states what it holds`);
      case "ask": {
        const canTake = this.#isStable && this.partner.isStable;
        return this.standby.hear(context, surroundings, word, canTake);
      }
      case "take":
        return this.#takenFromUs(context, surroundings, swapped(word.set));
      case "request":
        return mismatch(context, this.pair.other);
      case "response":
      case "shutdone":
      case "nodes-wanted":
      case "fenced":
        return;
    }
  }

  act(context: Context, surroundings: Surroundings): void {
    this.#ask(context, surroundings);
    this.#state(context);
    this.standby.progress(context, surroundings);
    this.#state(context);
    if (!this.#isStable || surroundings.isMaintenance) return;
    this.#offer(context);
    if (this.standby.isIdle) {
      this.#takeovers.ask(context, surroundings, (side) => this.#holdOf(side) === "held");
    } else this.#takeovers.end();
  }

  leave(context: Context): void {
    this.standby.partnerGone(context);
    this.outbox.send(context, say.resource("none", false, "shutdown"));
  }

  get #isStable(): boolean {
    return this.partner.isKnown && this.standby.isIdle && !this.pair.isBusy;
  }

  #holdOf(side: Side): Hold {
    return this.partner.hold(seenByOther(side));
  }

  /** `hb_takeover` over there: what runs here belongs there now. */
  #takenFromUs(context: Context, { directives }: Surroundings, set: Holding): void {
    const wanted = this.pair.of(set).filter(({ machine }) => machine.state !== "stopped");
    if (wanted.length === 0) return;
    for (const keeper of wanted) directives.setPin(keeper.name, this.pair.other);
    const names = wanted.map(({ name }) => name).join(", ");
    context.report("notice", "takeover-asked", `${this.pair.other} asks for ${names}`);
  }

  /** `starting` asks what the other one holds. It hears nothing before its own start-up is over: ask again. */
  #ask(context: Context, { settings }: Surroundings): void {
    if ((this.partner.isKnown && !this.#isAssumed) || this.#askAt === null) return;
    if (context.now < this.#askAt) return;
    this.outbox.send(context, say.starting);
    this.#askAt = after(context.now, askAgainMs(settings.timing));
  }

  /** What we hold, when that has changed or was asked for. In the middle of a move its steps say it all. */
  #state(context: Context): void {
    const { standby, partner } = this;
    const isAwaited = partner.isKnown && (standby.isIdle || standby.givenAway !== "none");
    if (!isAwaited && !this.#owesStatement) return;
    const isStable = this.#isStable;
    const isFree = (side: Side) => this.#holdOf(side) === "free";
    const giving = standby.givenAway;
    // A set without groups has a holder too, in name.
    const inName = without(standby.inName, without("all", this.pair.empty));
    const held = without(together(this.pair.held(isFree), partner.isKnown ? inName : "none"), giving);
    if (this.#owesEdge && isStable && giving === "none") {
      this.#owesEdge = false;
      if (this.#answers.take(context.now)) {
        this.#stated = null;
        this.outbox.send(context, say.resource(held, false));
      }
    }
    const text = `${held} ${isStable}`;
    if (text === this.#stated && !(this.#owesStatement && this.#answers.take(context.now))) return;
    this.#stated = text;
    this.#owesStatement = false;
    this.outbox.send(context, say.resource(held, isStable, giving === "none" ? "" : "standby"));
  }

  /** What runs here, or nowhere, and belongs on the other node: it takes nothing that it is not offered. */
  #offer(context: Context): void {
    if (!this.partner.isStable) return;
    const { other } = this.pair;
    const set = this.pair.where((keeper, side) => {
      if (keeper.placedOn !== other) return false;
      const { state } = keeper.machine;
      return state === "running" || (state === "stopped" && this.#holdOf(side) === "free");
    });
    if (set !== "none") this.standby.offer(context, set);
  }
}
