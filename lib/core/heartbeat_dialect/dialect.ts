/**
 * Speaks to a Heartbeat daemon, the other node of a haresources pair, in its own protocol (protocol reference 8 and 9),
 * behind the same interface by which a Heartline peer is known: what it holds becomes a statement for each group, and
 * what it has not agreed to becomes an objection to a start of ours. This part follows the daemon's runs, its death,
 * return and goodbye, and hands its words to the family that both speak. It starts and stops nothing itself.
 */

import type { Context } from "../context.ts";
import { Credit } from "../credit.ts";
import { after, earliestAfter, type Instant } from "../instant.ts";
import { counted } from "../limits.ts";
import type { ForeignStatement, Peer } from "../membership/peer.ts";
import type { Roster } from "../membership/roster.ts";
import type { Delivery } from "../messaging/delivery.ts";
import type { Outbox } from "../messaging/outbox.ts";
import type { Keeper } from "../ownership/keeper.ts";
import { holds } from "../ownership/placement.ts";
import type { Surroundings } from "../ownership/surroundings.ts";
import type { ClusterMessage } from "../../wire/message.ts";
import type { GroupState, GroupStatement } from "../../wire/statement.ts";
import type { Family } from "./family.ts";
import * as say from "./messages.ts";
import { Negotiated } from "./negotiated.ts";
import { Pair } from "./pair.ts";
import type { Hold } from "./partner.ts";
import { Requested } from "./requested.ts";
import { answersAtOnceMax, answersPerSecondMax, runProofMs } from "./times.ts";

const stateOf: Readonly<Record<Hold, GroupState>> = {
  unknown: "unknown",
  free: "stopped",
  taking: "starting",
  held: "running",
  letting: "stopping",
};

export class HeartbeatDialect implements ForeignStatement {
  readonly pair: Pair;
  readonly family: Family;
  #inbox: say.Word[] = [];
  /** When the first heartbeat of its present run was heard. */
  #runSince: Instant | null = null;
  /** Highest epoch at the moment when the daemon was first known to hold a group: it holds by the next one. */
  readonly #epochs = new Map<string, number>();
  #lastWord: ClusterMessage | null = null;
  #isSpoken = false;
  #generation: number | null = null;
  #lostGeneration: number | null = null;
  /** Run of which is known whether we heard its beginning. */
  #judgedGeneration: number | null = null;
  #settledAt: Instant | null = null;
  #hasStoodStill = false;
  readonly #answers = new Credit(answersAtOnceMax, answersPerSecondMax);
  #isLeaving = false;
  #hasSaidShutdone = false;

  constructor(
    self: string,
    readonly peer: Peer,
    readonly nodes: readonly string[],
    readonly roster: Roster,
    readonly outbox: Outbox,
    keepers: readonly Keeper[],
    delivery: Delivery,
  ) {
    this.pair = new Pair(self, peer.node, keepers);
    this.family = this.pair.isLegacy ? new Requested(this.pair, outbox) : new Negotiated(this.pair, outbox);
    for (const type of say.wordTypes) {
      delivery.on(type, (_, __, message) => this.#receive(message), "fifo");
    }
  }

  /** The other node is in view and its daemon is one of Heartbeat. */
  get isSpoken(): boolean {
    return this.#isSpoken;
  }

  /** It may hear us, in view or not: a link can fail in one direction. */
  get mayHear(): boolean {
    return this.peer.foreign !== null;
  }

  get phase(): "joining" | "settled" {
    return this.family.isKnown ? "settled" : "joining";
  }

  settledForMs(now: Instant): number {
    return this.#settledAt === null ? 0 : now - this.#settledAt;
  }

  group(name: string): GroupStatement {
    return {
      state: stateOf[this.family.hold(name)],
      epoch: this.#epochs.get(name) ?? 0,
      able: this.family.isAble(name),
      wants: this.family.wants(name),
      leaseSeconds: 0,
      pin: null,
    };
  }

  objection(group: string): string | null {
    return this.family.objection(group);
  }

  get unfinished(): string | null {
    return this.family.unfinished;
  }

  refusal(groups: readonly string[]): string | null {
    return this.family.refusal(groups);
  }

  deadline(now: Instant): Instant | null {
    if (!this.#isSpoken) return null;
    const provenAt = this.#inbox.length === 0 ? null : this.#runProvenAt;
    return earliestAfter(now, [provenAt, ...this.family.deadlines()]);
  }

  /**
   * What was held back until its daemon restarted is about a run that is over: its goodbye is none of this run. And what
   * comes after later words, because those had waited too long for it, is over too: it could free what they tell of.
   */
  #receive(message: ClusterMessage): void {
    const { generation } = this.peer.tracker;
    const { sequence } = message;
    const last = this.#lastWord?.generation === generation ? this.#lastWord.sequence! : 0;
    if (message.generation !== generation || sequence! < last) return;
    this.#lastWord = message;
    const word = say.readWord(message);
    if (word !== null) this.#inbox.push(word);
  }

  /** We stood still: the daemon may have taken everything meanwhile, and whatever it said before proves nothing. */
  stoodStill(): void {
    this.#hasStoodStill = true;
  }

  /** Takes what was heard and what became of the peer. Comes before the keepers decide. */
  watch(context: Context, surroundings: Surroundings): void {
    this.#noteRun(context, surroundings);
    this.#noteView(context);
    this.#noteBeginning(context);
    if (this.#hasStoodStill) this.#forget(context, surroundings, "this node stood still");
    this.#hasStoodStill = false;
    for (const word of this.#takeWords(context.now)) {
      if (this.#isSpoken) this.#hear(context, surroundings, word);
    }
    this.#noteHolds();
    if (!this.family.isKnown) this.#settledAt = null;
    else this.#settledAt ??= context.now;
  }

  /** Says what is to be said. Comes after the keepers have decided. */
  act(context: Context, surroundings: Surroundings): void {
    if (!this.#isSpoken) return;
    if (surroundings.phase === "leaving") return this.#leave(context);
    if (surroundings.phase === "settled" && !this.pair.isProbing) this.family.act(context, surroundings);
  }

  get #runProvenAt(): Instant | null {
    return this.#runSince === null ? null : after(this.#runSince, runProofMs(this.peer.timing));
  }

  /**
   * What a run says counts once it has been heard for a while without a later one: after our own start a recording of an
   * earlier run looks like news until the daemon's next heartbeat. What frees nothing need not wait for that.
   */
  #takeWords(now: Instant): say.Word[] {
    const words = this.#inbox;
    const provenAt = this.#runProvenAt;
    const isProven = provenAt !== null && now >= provenAt;
    const mayCount = ({ kind }: say.Word) =>
      isProven || kind === "fenced" || kind === "nodes-wanted" || kind === "request";
    this.#inbox = words.filter((word) => !mayCount(word));
    return words.filter(mayCount);
  }

  /** A new run of its daemon knows nothing of what was before. */
  #noteRun(context: Context, surroundings: Surroundings): void {
    const { generation } = this.peer.tracker;
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#runSince = context.now;
    this.#inbox = [];
    this.#forget(context, surroundings, `the daemon of ${this.peer.node} was started`);
  }

  /** A run begins as `init` and `up`. One first heard as `active` may have been alone, and have taken everything. */
  #noteBeginning(context: Context): void {
    const { node, firstStatus } = this.peer;
    if (!this.#isSpoken || firstStatus === null || this.#judgedGeneration === this.#generation) return;
    this.#judgedGeneration = this.#generation;
    if (firstStatus.toLowerCase() !== "active") return;
    if (this.pair.running === "none") return;
    this.family.assumeOurs(context);
    const sentence =
      `the Heartbeat daemon of ${node} was started unheard and may have taken everything: all is let go here`;
    context.report("warning", "heartbeat-unheard", sentence, { node });
  }

  #noteView(context: Context): void {
    const { peer } = this;
    const isSpoken = peer.isInView && peer.statement === null;
    if (peer.statement !== null) peer.foreign = null;
    else if (peer.isInView) peer.foreign = this;
    if (isSpoken === this.#isSpoken) return;
    this.#isSpoken = isSpoken;
    if (isSpoken) {
      this.family.begin(context);
      return this.#appeared(context);
    }
    this.#inbox = [];
    this.family.end(context, !peer.isInView);
    if (peer.isInView || peer.hasLeft) return;
    this.#lostGeneration = this.#generation;
    const mayHold = this.pair.keepers.some(({ name }) => this.family.hold(name) !== "free");
    this.outbox.send(context, say.stonith(peer.node, mayHold));
  }

  /**
   * Both may have taken everything while they did not hear each other. A Heartbeat daemon that finds this out restarts
   * itself within two seconds, but holds on until then: we let go at once, and take when it has said `shutdone`.
   */
  #appeared(context: Context): void {
    const { node } = this.peer;
    if (this.#lostGeneration === this.#generation && this.#generation !== null) {
      this.family.assumeAll(context);
      context.report(
        "warning",
        "heartbeat-returned",
        `the Heartbeat daemon of ${node} is back without a restart: it may hold everything, and restarts itself`,
        { node },
      );
      return;
    }
    context.report(
      "notice",
      "heartbeat-peer",
      `${node} runs a Heartbeat daemon: its own protocol is spoken`,
      {
        node,
      },
    );
  }

  /** It does not hear us though we hear it. It takes everything; in the old family nothing else would tell. */
  #declaredDead(context: Context): void {
    const { node } = this.peer;
    this.family.assumeAll(context);
    const sentence =
      `the Heartbeat daemon of ${node} has declared this node dead and takes over: all is let go here`;
    context.report("warning", "heartbeat-fenced-us", sentence, { node });
  }

  #forget(context: Context, surroundings: Surroundings, why: string): void {
    this.family.forget(context, this.#hasStoodStill);
    // Heartbeat fails back after a failure whatever was ordered before it; among ourselves orders last.
    if (this.peer.statement !== null) return;
    for (const keeper of this.pair.keepers) {
      if (surroundings.directives.pinnedNode(keeper.name) === null) continue;
      surroundings.directives.setPin(keeper.name, null);
      context.report("info", "pin-lifted", `${keeper.name} is no longer placed by hand: ${why}`);
    }
  }

  #hear(context: Context, surroundings: Surroundings, word: say.Word): void {
    switch (word.kind) {
      case "shutdone":
        this.family.freedAll();
        this.roster.left(context, this.peer);
        return this.#noteView(context);
      case "nodes-wanted":
        if (!this.#answers.take(context.now)) return;
        this.outbox.send(context, say.nodes(this.nodes, this.peer.node));
        return;
      case "fenced":
        if (word.node === this.pair.self) this.#declaredDead(context);
        return;
      default:
        return this.family.hear(context, surroundings, word);
    }
  }

  /** From when it is known to hold a group, it does so by a later epoch than any start of ours before. */
  #noteHolds(): void {
    for (const { name, epoch } of this.pair.keepers) {
      const isHeld = this.#isSpoken && holds(this.group(name).state);
      if (!isHeld) this.#epochs.delete(name);
      else if (!this.#epochs.has(name)) this.#epochs.set(name, counted(epoch));
    }
  }

  /** A group that could not be stopped is not let go: the other one is not invited to take it. */
  #leave(context: Context): void {
    if (!this.#isLeaving) {
      this.#isLeaving = true;
      this.family.leave(context);
    }
    const isHeld = this.pair.where(({ machine }) => machine.state !== "stopped") !== "none";
    if (isHeld || this.#hasSaidShutdone) return;
    this.#hasSaidShutdone = true;
    this.outbox.send(context, say.shutdone);
  }
}
