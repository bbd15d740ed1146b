/**
 * Carries out the core's effects on this machine: packets, addresses, scripts, questions to the wire, state files.
 * Everything that takes time runs beside the event loop and comes back to the driver as an outcome.
 */

import { type Effect, isHeartbeat, type RebootEffect, type ReportEffect } from "../core/effects.ts";
import type { Input, ResourceOutcome, WireVerdict } from "../core/inputs.ts";
import type { ClusterEvent } from "../core/messaging/cluster_events.ts";
import { rightEndsAt } from "../core/limits.ts";
import type { Settings, VipSpec } from "../core/settings.ts";
import type { FenceOutcome } from "../fencing/fence.ts";
import { runnerFor } from "../resources/registry.ts";
import type { WireQuestion } from "../system/ask_wire.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Hands } from "./driver.ts";
import type { Messenger } from "./messenger.ts";
import { type StateFiles, withinLimit } from "./state_files.ts";
import type { Vips } from "./vips.ts";

export interface Tools {
  readonly settings: Settings;
  readonly node: string;
  readonly messenger: Messenger;
  readonly vips: Vips | null;
  readonly asker: { ask(question: WireQuestion): Promise<WireVerdict> } | null;
  readonly fencing: { fence(node: string): Promise<FenceOutcome> } | null;
  readonly state: StateFiles;
  readonly report: (report: ReportEffect) => void;
  /** `atMs`: Unix time by the clock of the event's node. */
  readonly event: (event: ClusterEvent, atMs: number) => void;
  /** The heartbeat went out: tell the service manager's watchdog, hand over counted refusals. */
  readonly beaten: () => void;
  readonly exit: () => void;
  /** Resolves, with the reason, if this machine still runs. */
  readonly reboot: () => Promise<string>;
}

/**
 * An address that is started later than this after the last silence is asked for once more. Too low: another
 * `duplicate-check` for nothing; too high: two that cannot hear each other both find it free.
 */
const silenceStaleMs = 500;

/**
 * How long the start of a script waits until its fencing token is durable. Lower: a busy disk lets a script see a token
 * that a crash may give out again. Higher: a hung disk delays the takeover by as much.
 */
const epochLimitMs = 1_000;

export class SystemHands implements Hands {
  /** Set once the driver exists. */
  input: (input: Input) => void = () => {};
  /** When the wire was last found silent about a group's addresses. */
  readonly #silentAt = new Map<string, number>();
  /** How often a group's addresses were dropped in a hurry: a start that waits must not come after that. */
  readonly #drops = new Map<string, number>();
  /** The last write of a group's epoch. */
  readonly #kept = new Map<string, Promise<void>>();
  /** When the last heartbeat went out. */
  #beatenAt: number | null = null;

  constructor(readonly tools: Tools) {}

  now(): number {
    return monotonicMs();
  }

  send(effect: Extract<Effect, { kind: "send" }>): void {
    if (isHeartbeat(effect)) this.#beatenAt = this.now();
    this.tools.messenger.send(effect);
  }

  resend(sequence: number): void {
    if (!this.tools.messenger.resend(sequence)) this.input({ kind: "not-kept", sequence });
  }

  run(effect: Extract<Effect, { kind: "run" }>, goodUntilMs: number): void {
    const { group, resource, operation } = effect;
    const spec = this.tools.settings.groups.find(({ name }) => name === group)!.resources[resource]!.spec;
    const done = (outcome: ResourceOutcome) => this.input({ kind: "outcome", id: effect.id, outcome });
    const { vips } = this.tools;
    if (spec.kind === "vip" && vips !== null) {
      if (operation === "start" && !vips.isHeld(group, resource) && this.#isSilenceStale(group, spec)) {
        this.#startAfterAsking(effect, spec, vips).then(done, (error) => done(unknownOutcome(error)));
      } else done(vips.run(group, resource, operation, goodUntilMs));
      return;
    }
    this.#runScript(effect, spec).then(done, (error) => done(unknownOutcome(error)));
  }

  renew(group: string, goodUntilMs: number): void {
    this.tools.vips?.renew(group, goodUntilMs);
  }

  drop(group: string): void {
    this.#drops.set(group, (this.#drops.get(group) ?? 0) + 1);
    this.tools.vips?.drop(group);
  }

  announce(group: string): void {
    this.tools.vips?.announce(group);
  }

  askWire(effect: Extract<Effect, { kind: "ask-wire" }>): void {
    const done = (verdict: WireVerdict) => {
      if (verdict.kind === "silent") this.#silentAt.set(effect.group, this.now());
      this.input({ kind: "outcome", id: effect.id, outcome: { kind: "wire", verdict } });
    };
    const { vips, asker, settings } = this.tools;
    if (vips === null || asker === null) {
      done({ kind: "blind", reason: "this process may not use packet sockets (CAP_NET_RAW)" });
      return;
    }
    const question: WireQuestion = {
      addresses: vips.questions(effect.group),
      windowMs: effect.windowMs,
      ignore: settings.ignoreAnswersFrom,
    };
    asker.ask(question).then(done);
  }

  fence(effect: Extract<Effect, { kind: "fence" }>): void {
    const done = (outcome: FenceOutcome) => this.input({ kind: "outcome", id: effect.id, outcome });
    const { fencing } = this.tools;
    if (fencing === null) {
      done({ kind: "fence", result: "failed", reason: "there is no fencing device" });
      return;
    }
    fencing.fence(effect.node).then(
      done,
      (error) => done({ kind: "fence", result: "unknown", reason: String(error) }),
    );
  }

  keepEpoch(group: string, epoch: number): void {
    this.#kept.set(
      group,
      this.tools.state.keepEpoch(group, epoch).catch((error) => {
        this.#reportUnkept(group, `epoch ${epoch} of ${group} could not be written: ${error}`);
      }),
    );
  }

  report(report: ReportEffect): void {
    this.tools.report(report);
  }

  event(event: ClusterEvent): void {
    const { sequence, timestamp } = event;
    const own = sequence === null ? null : this.tools.messenger.sentAt(sequence);
    const seconds = timestamp ?? own ?? Math.floor(Date.now() / 1000);
    this.tools.event(event, seconds * 1000);
  }

  beaten(): void {
    this.tools.beaten();
  }

  exit(): void {
    this.tools.exit();
  }

  reboot({ group }: RebootEffect): void {
    this.tools.reboot().then((reason) => this.input({ kind: "reboot-failed", group, reason }));
  }

  /** Slow resources to the left of an address can make the core's question about it old. */
  #isSilenceStale(group: string, spec: VipSpec): boolean {
    const at = this.#silentAt.get(group);
    return spec.duplicateCheckMs > 0 && this.tools.asker !== null && at !== undefined &&
      this.now() - at > silenceStaleMs;
  }

  async #startAfterAsking(
    effect: Extract<Effect, { kind: "run" }>,
    spec: VipSpec,
    vips: Vips,
  ): Promise<ResourceOutcome> {
    const addresses = vips.questions(effect.group).filter(({ address }) => address === spec.address);
    const windowMs = Math.min(spec.duplicateCheckMs, effect.limitMs);
    const drops = this.#drops.get(effect.group);
    const ignore = this.tools.settings.ignoreAnswersFrom;
    const verdict = await this.tools.asker!.ask({ addresses, windowMs, ignore });
    if (this.#drops.get(effect.group) !== drops) {
      return givenUp();
    }
    if (verdict.kind === "silent") {
      // The right to start lasts while heartbeats go out; a stop of this process while it asked shows in their age.
      const goodUntilMs = rightEndsAt(this.tools.settings, this.#beatenAt);
      return vips.run(effect.group, effect.resource, "start", goodUntilMs);
    }
    const why = verdict.kind === "blind"
      ? verdict.reason
      : `${verdict.hardware} has or takes ${verdict.address}`;
    return { kind: "resource", result: "failed", code: 1, reason: why, output: [], durationMs: 0 };
  }

  /** The token must be durable before a script sees it; `false`: the group was given up while we waited for that. */
  async #isEpochKept(group: string): Promise<boolean> {
    const kept = this.#kept.get(group);
    if (kept === undefined) return true;
    const drops = this.#drops.get(group);
    if (!await withinLimit(kept, epochLimitMs)) {
      const what = `the epoch of ${group} is not on disk after ${epochLimitMs} ms; starting it all the same`;
      this.#reportUnkept(group, what);
    }
    return this.#drops.get(group) === drops;
  }

  #reportUnkept(group: string, sentence: string): void {
    this.report({ kind: "report", level: "warning", code: "state-not-kept", sentence, fields: { group } });
  }

  async #runScript(
    effect: Extract<Effect, { kind: "run" }>,
    spec: Settings["groups"][number]["resources"][number]["spec"],
  ): Promise<ResourceOutcome> {
    if (effect.operation === "start" && !await this.#isEpochKept(effect.group)) return givenUp();
    const { process } = this.tools.settings;
    const runner = await runnerFor(spec.kind);
    return await runner.run(spec, effect.operation, {
      limitMs: effect.limitMs,
      environment: {
        ...Object.fromEntries(
          Object.entries(process.environment).map(([name, value]) => [`HA_${name}`, value]),
        ),
        HA_CURHOST: this.tools.node,
        HEARTLINE_NODE: this.tools.node,
        HEARTLINE_GROUP: effect.group,
        HEARTLINE_EPOCH: String(effect.epoch),
      },
      scriptDirectories: process.scriptDirectories,
    });
  }
}

/** A start that was not begun because the group was given up while it waited. */
function givenUp(): ResourceOutcome {
  const reason = "given up meanwhile";
  return { kind: "resource", result: "stopped", code: null, reason, output: [], durationMs: 0 };
}

/** A runner must not throw; if it does, nobody knows what it has done. */
function unknownOutcome(error: unknown): ResourceOutcome {
  return {
    kind: "resource",
    result: "unknown",
    code: null,
    reason: error instanceof Error ? error.message : String(error),
    output: [],
    durationMs: 0,
  };
}
