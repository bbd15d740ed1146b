/**
 * A fencing device that is driven by an agent of the fence-agents' interface (FenceAgentAPI).
 *
 *     off ── exit 0 ───────────────► status, again and again ── off (exit 2) ─► fenced
 *      │                                        └── limit ─────────────────────► failed (still on) | unknown
 *      └── failed or cut short ────► status ── off, and the device answers `monitor` ─► fenced (was off already)
 *                                       └── else: once more while there is time, then failed | unknown
 *
 * It must never call a node fenced by what `off` said alone: agents exist that report success before the power is
 * gone, and a program that fails in an unexpected way often exits with 2, the code of "off". So an `off` that failed
 * needs a device that is seen to work as well.
 */

import type { FenceDeviceSettings } from "../core/settings.ts";
import { type AgentAction, type AgentCall, callAgent } from "./agent_call.ts";
import type { FenceMethod, FenceOutcome, PowerAnswer, Tell } from "./fence.ts";
import { type AgentMetadata, hasPorts, isFabric, parseMetadata } from "./metadata.ts";

/** Pause between two looks at the power. Lower: a board's only session is never free. Higher: fencing takes longer. */
const pollMs = 500;

/** Before `off` is tried once more: the device may be busy with somebody's session. */
const againMs = 1_000;

/** Lower: a session of somebody else costs a whole pause. Higher: the next device is tried later. */
const attemptsMax = 2;

/** Most and least of an attempt's time that is kept for the look at the power after an `off` that hangs. */
const reserveMsMax = 15_000;
const reserveMsMin = 300;

/** Printing metadata touches no device; on a loaded machine it takes a second. */
const metadataLimitMs = 5_000;

/** FenceAgentAPI: exit codes of `status`. */
const exitOn = 0;
const exitOff = 2;

export class AgentDevice implements FenceMethod {
  readonly nodes: readonly string[];
  /** Questions from outside that are under way. */
  readonly #questions = new Set<AbortController>();
  #metadata: Promise<AgentMetadata | null> | null = null;

  constructor(readonly settings: FenceDeviceSettings) {
    this.nodes = Object.keys(settings.ports);
  }

  get name(): string {
    return this.settings.name;
  }

  /** What the agent says of itself, asked once; `null`: it says nothing. */
  metadata(): Promise<AgentMetadata | null> {
    return this.#metadata ??= callAgent(this.settings, "metadata", {}, metadataLimitMs).then((call) => {
      const metadata = call.code === 0 ? parseMetadata(call.stdout) : null;
      // A machine that was too busy once is asked again.
      if (metadata === null) this.#metadata = null;
      return metadata;
    });
  }

  /** A node that it has cut off stays so until a person lets it back in. */
  async isFabric(): Promise<boolean> {
    const metadata = await this.metadata();
    return metadata !== null && isFabric(metadata);
  }

  async fence(node: string, tell: Tell): Promise<FenceOutcome> {
    // Many devices have room for one session only.
    for (const question of this.#questions) question.abort();
    const endsAt = performance.now() + this.settings.limitMs;
    const left = () => Math.max(0, Math.round(endsAt - performance.now()));
    const reserveMs = Math.min(reserveMsMax, Math.max(reserveMsMin, this.settings.limitMs / 4));
    let outcome: FenceOutcome = { kind: "fence", result: "unknown", reason: `${this.name} had no time` };
    for (
      let attempt = 1;
      attempt <= attemptsMax && (attempt === 1 || left() > againMs + reserveMs);
      attempt++
    ) {
      if (attempt > 1) await pause(againMs);
      const off = await this.#call(node, "off", Math.max(1, left() - reserveMs), tell);
      outcome = off.code === 0
        ? await this.#awaitOff(node, left, tell)
        : await this.#lookAfter(node, off, left, tell);
      if (outcome.result === "fenced" || off.code === 0 || (off.code === null && !off.isCutShort)) break;
    }
    return outcome;
  }

  async release(node: string, tell: Tell): Promise<boolean> {
    const endsAt = performance.now() + this.settings.limitMs;
    const on = await this.#call(node, "on", this.settings.limitMs, tell);
    if (on.code !== 0) return false;
    while (performance.now() < endsAt) {
      const answer = await this.#look(node, endsAt - performance.now(), tell);
      if (answer.state === "on") return true;
      await pause(pollMs);
    }
    return false;
  }

  async ask(node: string, limitMs: number, tell?: Tell): Promise<PowerAnswer> {
    const question = new AbortController();
    this.#questions.add(question);
    const answer = await this.#look(node, limitMs, tell, question.signal);
    this.#questions.delete(question);
    return answer;
  }

  async #look(node: string, limitMs: number, tell?: Tell, abort?: AbortSignal): Promise<PowerAnswer> {
    const status = await this.#call(node, "status", limitMs, tell, abort);
    if (status.code === exitOn) return { state: "on", reason: "" };
    if (status.code === exitOff) return { state: "off", reason: "" };
    return { state: "unknown", reason: withLastLine(status) };
  }

  /** `off` says that it is done: the power decides. */
  async #awaitOff(node: string, left: () => number, tell: Tell): Promise<FenceOutcome> {
    const startedMs = performance.now();
    let last: PowerAnswer = { state: "unknown", reason: "there was no time to ask" };
    while (left() > 0) {
      last = await this.#look(node, left(), tell);
      if (last.state === "off") return this.#verified(node, "is off");
      await pause(Math.min(pollMs, left()));
    }
    if (last.state === "on") {
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      return this.#end(
        "failed",
        `${this.name} says that it switched ${node} off, but it is still on after ${seconds} s`,
      );
    }
    return this.#end("unknown", `${this.name} cannot tell whether ${node} is off: ${last.reason}`);
  }

  /** `off` did not succeed: the node may have been off already, or have gone off all the same. */
  async #lookAfter(node: string, off: AgentCall, left: () => number, tell: Tell): Promise<FenceOutcome> {
    const said = withLastLine(off);
    if (off.code === null && !off.isCutShort) return this.#end("failed", `${this.name}: ${said}`);
    const { state } = await this.#look(node, Math.max(1, left() / 2), tell);
    if (state === "on") {
      return this.#end("failed", `${this.name} could not switch ${node} off (${said}): it is on`);
    }
    if (state === "off") {
      const monitor = await this.#call(node, "monitor", left(), tell);
      if (monitor.code === 0) return this.#verified(node, `is off, although "off" failed (${said})`);
    }
    return this.#end(
      "unknown",
      `${this.name} could not switch ${node} off (${said}), and cannot tell its state`,
    );
  }

  #verified(node: string, how: string): FenceOutcome {
    return this.#end("fenced", `${node} ${how}, as ${this.name} says`);
  }

  #end(result: FenceOutcome["result"], reason: string): FenceOutcome {
    return { kind: "fence", result, reason };
  }

  async #call(
    node: string,
    action: AgentAction,
    limitMs: number,
    tell: Tell | undefined,
    abort?: AbortSignal,
  ): Promise<AgentCall> {
    const call = await callAgent(
      this.settings,
      action,
      await this.#target(node),
      Math.max(1, Math.round(limitMs)),
      abort,
    );
    const { output, durationMs } = call;
    tell?.({ device: this.name, node, action, output, durationMs, ...meaningOf(action, call) });
    return call;
  }

  /** A device without ports needs no word for the node; where it has some, the node's name is the usual one. */
  async #target(node: string): Promise<Record<string, string>> {
    const port = this.settings.ports[node] ?? null;
    if (port !== null) return { nodename: node, port, plug: port };
    const metadata = await this.metadata();
    return metadata !== null && hasPorts(metadata)
      ? { nodename: node, port: node, plug: node }
      : { nodename: node };
  }
}

function meaningOf(action: AgentAction, call: AgentCall): { isGood: boolean; sentence: string } {
  const isState = action === "status" && (call.code === exitOn || call.code === exitOff);
  if (isState) return { isGood: true, sentence: call.code === exitOn ? "it is on" : "it is off" };
  return call.code === 0
    ? { isGood: true, sentence: "done" }
    : { isGood: false, sentence: withLastLine(call) };
}

/** What the library of most agents prints around the line that matters. */
const noise = /^\s|DeprecationWarning|Please use '-h' for usage|^$/;
const logPrefix = /^\d{4}-\d\d-\d\d [\d:,.]+ [A-Z]+: /;

/** Why a call failed, with the agent's last word on it. */
function withLastLine({ reason, output }: AgentCall): string {
  const last = output.filter((line) => !noise.test(line.replace(logPrefix, ""))).at(-1)?.replace(
    logPrefix,
    "",
  );
  return last === undefined ? reason : `${reason}: ${last}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
