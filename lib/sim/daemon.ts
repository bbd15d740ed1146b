/**
 * One run of a node's daemon in the simulator: hands inputs to the very `ClusterNode` of the product and carries out
 * its effects in order, as `lib/runtime` does. A paused daemon takes nothing; what arrives meanwhile waits in a socket
 * buffer that drops the *newest* when full, and comes in one burst when it goes on.
 */

import type { Effect, EffectId, RunEffect, SendEffect } from "../core/effects.ts";
import type { Input } from "../core/inputs.ts";
import type { Instant } from "../core/instant.ts";
import { sentPacketsMax } from "../core/limits.ts";
import { ClusterNode, type Identity } from "../core/node.ts";
import type { Settings } from "../core/settings.ts";
import { InvariantError } from "../errors.ts";
import type { Packet } from "./heartbeat_network.ts";
import type { Task } from "./event_queue.ts";
import type { Machine } from "./machine.ts";
import type { Prng } from "../core/prng.ts";
import { outcomeOf } from "./scripts.ts";
import type { Closing } from "./service_network.ts";

/** Packets that a socket buffer holds. Too high: a resumed daemon hears all; too low: nothing of the old. */
const bufferedPacketsMax = 64;

/**
 * Of so many messages heartbeats are kept whole. Of an older one only its number matters to who asks for it: it is sent
 * again with what the latest one says. Higher: packets live so long that collecting them is most of the work.
 */
const wholeHeartbeatsMax = 64;

/** A timer fires up to this much late on an idle machine. */
const timerLatenessMsMax = 1.2;

/** After its start an address is announced at these times (`ANNOUNCE_AT_MS` of the product). */
const announceAtMs = [0, 100, 300];

interface Timer extends Task {
  readonly at: Instant;
}

export class Daemon {
  readonly node: ClusterNode;
  isPaused = false;
  isOver = false;
  steps = 0;
  /** Of the step that is under way, or was last. */
  steppedAt = 0 as Instant;
  #armedAt: Instant | null = null;
  #timer: Timer | null = null;
  #isWakeDue = false;
  #bufferedPackets = 0;
  #waiting: { readonly run: () => void; readonly isFresh: () => boolean }[] = [];
  /** What was sent last, by number modulo its length; an old heartbeat leaves its place empty. */
  readonly #sent: (Packet | undefined)[] = [];
  #lastHeartbeat: Packet | null = null;
  #lastMessage: Packet["message"]["message"] = { fields: [] };
  readonly #questions = new Set<Closing>();

  constructor(
    readonly machine: Machine,
    readonly settings: Settings,
    readonly identity: Identity,
    random: Prng,
  ) {
    this.node = new ClusterNode(settings, identity, random);
  }

  start(): void {
    for (const medium of this.node.roster.media) {
      this.take({ kind: "medium", medium, isUp: true, address: null, reason: "opened" });
    }
    this.take({ kind: "start" });
    for (const arbiter of this.settings.arbiters) this.#askArbiter(arbiter.name, arbiter.targets[0] ?? "");
  }

  /** Hands an input over now, or when the daemon goes on. */
  take(input: Input): void {
    if (this.isOver) return;
    if (!this.isPaused) return this.#step(input);
    if (input.kind === "message" && ++this.#bufferedPackets > bufferedPacketsMax) return;
    this.#wait(() => this.#step(input));
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#bufferedPackets = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    // Which of its sources the event loop looks at first is chance.
    const isTimerFirst = this.machine.random.chance(0.5);
    if (this.#isWakeDue && isTimerFirst) this.#wake();
    for (const { run, isFresh } of waiting) if (!this.isOver && isFresh()) run();
    if (this.#isWakeDue) this.#wake();
  }

  /** The process is gone: nothing it asked for comes back. */
  end(): void {
    this.isOver = true;
    for (const question of this.#questions) question.abandon();
  }

  #wait(run: () => void, isFresh: () => boolean = () => true): void {
    this.#waiting.push({ run, isFresh });
  }

  #wake(): void {
    this.#isWakeDue = false;
    this.#armedAt = null;
    this.#step({ kind: "wake" });
  }

  #step(input: Input): void {
    if (this.isOver) return;
    const { machine } = this;
    const now = machine.now();
    this.steppedAt = now;
    this.steps++;
    const effects = this.node.step(now, input);
    for (const effect of effects) {
      if (this.isOver) return;
      this.#carryOut(effect);
    }
    machine.observer.stepped?.(machine, input, effects);
    this.#arm(now);
  }

  #arm(now: Instant): void {
    const deadline = this.node.deadline();
    if (deadline === this.#armedAt || this.isOver) return;
    if (deadline !== null && deadline <= now) {
      throw new InvariantError(`deadline ${deadline} is not after ${now}`);
    }
    this.#armedAt = deadline;
    if (deadline !== null && (this.#timer === null || deadline < this.#timer.at)) this.#setTimer(deadline);
  }

  /** A timer that is set for something earlier stays, and is set anew when it comes. */
  #setTimer(at: Instant): void {
    const { queue, random } = this.machine;
    const timer: Timer = { at, run: () => this.#timeUp(timer) };
    this.#timer = timer;
    queue.put(this.machine.globalMs(at) + random.between(0, timerLatenessMsMax), timer);
  }

  #timeUp(timer: Timer): void {
    if (this.isOver || this.#timer !== timer) return;
    this.#timer = null;
    if (this.#armedAt === null) return;
    if (this.#armedAt > timer.at) this.#setTimer(this.#armedAt);
    else if (this.isPaused) this.#isWakeDue = true;
    else this.#wake();
  }

  #carryOut(effect: Effect): void {
    const { machine } = this;
    switch (effect.kind) {
      case "send":
        return this.#send(effect);
      case "resend":
        return this.#resend(effect.sequence);
      case "run":
        return this.#run(effect);
      case "renew":
        return this.#forAddresses(effect.group, (index, leaseSeconds) => {
          if (machine.kernel.hasAddress(effect.group, index)) {
            machine.kernel.setAddress(effect.group, index, leaseSeconds);
          }
        });
      case "drop":
        return this.#forAddresses(effect.group, (index) => machine.kernel.removeAddress(effect.group, index));
      case "announce":
        // The daemon looks before each packet, as the announcer does: the kernel may have ended a lease of which the
        // core has not been told yet. What the core itself does not hold it must not announce at all.
        if (this.#thinksItHolds(effect.group) && !machine.hasAddress(effect.group)) return;
        machine.observer.announced?.(machine, effect.group);
        return machine.service.announce(machine, effect.group);
      case "ask-wire":
        return this.#ask(effect.id, effect.group, effect.windowMs);
      case "keep-epoch":
        machine.keptEpochs[effect.group] = effect.epoch;
        return;
      case "report":
        return machine.observer.reported?.(machine, effect);
      case "event":
        return machine.observer.event?.(machine, effect.event);
      case "answer":
        return machine.observer.answered?.(machine, effect.accepted, effect.message);
      case "fence":
        return this.#fence(effect);
      case "exit":
        return machine.ended();
      case "reboot":
        return machine.reboot();
    }
  }

  #send(effect: SendEffect): void {
    const { machine, identity } = this;
    const { type, sequence, destination, statement, fields } = effect;
    const packet: Packet = {
      message: {
        type,
        source: machine.name,
        destination,
        generation: identity.generation,
        sequence,
        timestamp: machine.wallSeconds(),
        message: this.#messageOf(fields),
      },
      statement,
    };
    if (sequence !== null) this.#keep(sequence, packet);
    machine.heartbeats.send(machine.name, packet);
  }

  #keep(sequence: number, packet: Packet): void {
    this.#sent[sequence % sentPacketsMax] = packet;
    if (packet.message.type === "status") this.#lastHeartbeat = packet;
    const old = sequence - wholeHeartbeatsMax;
    if (old > 0 && this.#sent[old % sentPacketsMax]?.message.type === "status") {
      this.#sent[old % sentPacketsMax] = undefined;
    }
  }

  /** Most messages are heartbeats with the same fields: then they share them, because many are kept. */
  #messageOf(fields: SendEffect["fields"]): Packet["message"]["message"] {
    const known = this.#lastMessage.fields;
    const isSame = fields.length === known.length &&
      fields.every(([name, value], index) => known[index]!.name === name && known[index]!.value === value);
    if (!isSame) this.#lastMessage = { fields: fields.map(([name, value]) => ({ name, type: 0, value })) };
    return this.#lastMessage;
  }

  #resend(sequence: number): void {
    const { machine } = this;
    const packet = this.#sent[sequence % sentPacketsMax];
    if (packet?.message.sequence === sequence) return machine.heartbeats.send(machine.name, packet);
    const isKept = sequence > this.node.outbox.last - sentPacketsMax;
    if (packet !== undefined || !isKept || this.#lastHeartbeat === null) return;
    const { message, statement } = this.#lastHeartbeat;
    // A statement of its own, so that nobody takes it for the latest one.
    const repeated = statement === null ? null : { ...statement };
    machine.heartbeats.send(machine.name, { message: { ...message, sequence }, statement: repeated });
  }

  #thinksItHolds(group: string): boolean {
    return this.node.keepers.find(({ name }) => name === group)?.machine.state === "running";
  }

  #run(effect: RunEffect): void {
    const { group, resource, operation, id } = effect;
    const { machine } = this;
    const ended = (outcome: ReturnType<typeof outcomeOf>) => this.take({ kind: "outcome", id, outcome });
    const spec = this.#resources(group)[resource]!.spec;
    if (spec.kind !== "vip") return machine.scripts.run(effect, ended);
    // An address is set or removed in the very step that decides it (`lib/resources/vip.ts`).
    if (operation === "start") {
      machine.kernel.setAddress(group, resource, spec.leaseSeconds);
      for (const delayMs of announceAtMs) {
        machine.queue.in(delayMs, () => {
          if (!this.isOver && !this.isPaused && machine.hasAddress(group)) {
            machine.service.announce(machine, group);
          }
        });
      }
    } else if (operation === "stop") machine.kernel.removeAddress(group, resource);
    const isThere = machine.kernel.hasAddress(group, resource);
    const { random } = machine;
    machine.queue.in(random.between(0.1, 1), () => ended(outcomeOf(isThere ? "running" : "stopped", "", 1)));
  }

  #fence({ id, node }: Extract<Effect, { kind: "fence" }>): void {
    const { fencing } = this.settings;
    if (fencing === null) throw new InvariantError(`${node} is fenced without fencing`);
    this.machine.fences.fence(
      this.machine.name,
      node,
      fencing,
      (outcome) => this.take({ kind: "outcome", id, outcome }),
    );
  }

  #ask(id: EffectId, group: string, windowMs: number): void {
    const { machine } = this;
    const question = machine.service.ask(machine, group, windowMs, (verdict) => {
      this.#questions.delete(question);
      this.take({ kind: "outcome", id, outcome: { kind: "wire", verdict } });
    });
    this.#questions.add(question);
    machine.queue.in(windowMs, () => {
      if (this.isOver) return;
      // Who was stopped while the window was open looks at what lies in its socket when it goes on.
      if (this.isPaused) this.#wait(() => question.close());
      else question.close();
    });
  }

  /** An answer that lay in the socket for long proves nothing (`lib/arbiters/ping.ts`). */
  #askArbiter(name: string, target: string): void {
    if (this.isOver) return;
    const { machine, settings } = this;
    const intervalMs = settings.timing.keepaliveMs;
    const hasAnswer = machine.service.reachesArbiter(machine.name) && !this.isPaused;
    if (hasAnswer) {
      const askedAtMs = machine.queue.nowMs;
      const askedAt = machine.now();
      machine.queue.in(machine.service.arbiterQuality.latencyMs, () => {
        if (this.isOver) return;
        const hand = () => this.#step({ kind: "arbiter", name, target, askedAt });
        const isFresh = () => machine.queue.nowMs - askedAtMs <= 2 * intervalMs;
        if (this.isPaused) this.#wait(hand, isFresh);
        else hand();
      });
    }
    machine.queue.in(intervalMs, () => this.#askArbiter(name, target));
  }

  #resources(group: string): Settings["groups"][number]["resources"] {
    return this.settings.groups.find(({ name }) => name === group)!.resources;
  }

  #forAddresses(group: string, act: (index: number, leaseSeconds: number | null) => void): void {
    for (const [index, { spec }] of this.#resources(group).entries()) {
      if (spec.kind === "vip") act(index, spec.leaseSeconds);
    }
  }
}
