/**
 * The devices that switch machines off, as the agents of a real configuration would reach them: over a management
 * network of their own, or over the service network; each with its own ways to fail. The agents themselves are not
 * run. What a device is told reaches it at once, so that two nodes can switch each other off at the same moment.
 *
 *   asked ──half of the time──▶ the machine is off ──▶ verified: `fenced`, and for a reboot switched on again
 *
 * | device    | what is said, and what is so                                                        |
 * |-----------|-------------------------------------------------------------------------------------|
 * | works     | `fenced`, and it is off; also when it was off before                                |
 * | fails     | `failed`, and nothing has happened                                                  |
 * | hangs     | `unknown` after the limit, and nothing has happened                                 |
 * | lies      | `fenced`, and nothing has happened: then nothing is promised                        |
 * | too slow  | `unknown` after the limit, and it is off and stays so                               |
 * | not reached | `failed`; reached, and its answer lost: `unknown`, and it is off                  |
 */

import { fenceRungs, wholeOutcome } from "../core/fence_rungs.ts";
import type { FenceOutcome } from "../core/inputs.ts";
import type { FenceDeviceSettings, FencingSettings } from "../core/settings.ts";
import type { EventQueue } from "./event_queue.ts";
import type { Prng } from "../core/prng.ts";
import type { ServiceNetwork } from "./service_network.ts";

export const fenceResults = ["works", "fails", "hangs", "lies"] as const;

export interface FenceBehaviour {
  readonly result: typeof fenceResults[number];
  /** Up to a fifth more or less. */
  readonly takesMs: number;
}

export const goodFence: FenceBehaviour = { result: "works", takesMs: 400 };

/** How a device is built in. */
export interface FencePlace {
  readonly network: "management" | "service";
  /** Machine that it gets its power with, as a board controller does; `null`: it has its own. */
  readonly powerOf: string | null;
}

/** What a device needs of a machine. */
export interface Fenceable {
  /** Its mains: what is switched off has it still. */
  readonly hasSupply: boolean;
  switchOff(how: string): void;
  /** If it was switched off. It takes its time until it is up. */
  switchOn(): void;
}

/** How long an agent waits for a device that it does not reach. */
const unreachedMs = 500;

export class FenceDevices {
  readonly #usual = new Map<string, FenceBehaviour>();
  readonly #behaviours = new Map<string, FenceBehaviour>();
  readonly #places = new Map<string, FencePlace>();
  /** `NODE DEVICE` whose path is cut. */
  readonly #cuts = new Set<string>();

  constructor(
    readonly queue: EventQueue,
    readonly random: Prng,
    readonly service: ServiceNetwork,
    readonly machine: (name: string) => Fenceable,
  ) {}

  /** How a device is when nothing is wrong. */
  build(device: string, behaviour: FenceBehaviour, place: FencePlace): void {
    this.#usual.set(device, behaviour);
    this.#places.set(device, place);
  }

  /** `null`: as usual again. */
  set(devices: readonly string[], behaviour: FenceBehaviour | null): void {
    for (const device of devices) {
      if (behaviour === null) this.#behaviours.delete(device);
      else this.#behaviours.set(device, behaviour);
    }
  }

  /** Paths of the management network, from nodes to devices. */
  cut(nodes: readonly string[], devices: readonly string[], isCut: boolean): void {
    for (const node of nodes) {
      for (const device of devices) {
        if (isCut) this.#cuts.add(`${node} ${device}`);
        else this.#cuts.delete(`${node} ${device}`);
      }
    }
  }

  heal(): void {
    this.#behaviours.clear();
    this.#cuts.clear();
  }

  /**
   * Tries the devices that cover the node, in order, until one has switched it off; of those that belong together each
   * takes its own supply away, and only without any is the machine off.
   */
  fence(
    asker: string,
    node: string,
    settings: FencingSettings,
    ended: (outcome: FenceOutcome) => void,
  ): void {
    const rungs = fenceRungs(settings, node);
    const failures: FenceOutcome[] = [];
    const next = (index: number) => {
      const rung = rungs[index];
      if (rung === undefined) {
        const result = failures.some((failure) => failure.result === "unknown") ? "unknown" : "failed";
        const reason = failures.map((failure) => failure.reason).join("; ");
        return ended({ kind: "fence", result, reason: reason === "" ? "no device covers it" : reason });
      }
      this.#useAll(rung, asker, node, settings.action === "reboot", (outcome) => {
        if (outcome.result === "fenced") return ended(outcome);
        failures.push(outcome);
        next(index + 1);
      });
    };
    next(0);
  }

  #useAll(
    rung: readonly FenceDeviceSettings[],
    asker: string,
    node: string,
    isReboot: boolean,
    ended: (outcome: FenceOutcome) => void,
  ): void {
    const dark = new Set<string>();
    let verified = 0;
    const outcomes: FenceOutcome[] = [];
    for (const device of rung) {
      const strike = () => {
        if (dark.add(device.name).size < rung.length) return;
        this.machine(node).switchOff(`${rung.map(({ name }) => name).join(" and ")}, told by ${asker}`);
      };
      const verify = () => {
        if (++verified === rung.length && isReboot) this.machine(node).switchOn();
      };
      this.#use(device, asker, strike, verify, (outcome) => {
        if (outcomes.push(outcome) === rung.length) ended(wholeOutcome(outcomes));
      });
    }
  }

  #use(
    { name, limitMs }: FenceDeviceSettings,
    asker: string,
    strike: () => void,
    verified: () => void,
    ended: (outcome: FenceOutcome) => void,
  ): void {
    const end = (ms: number, result: FenceOutcome["result"], reason: string) =>
      this.queue.in(ms, () => ended({ kind: "fence", result, reason: `${name}: ${reason}` }));
    if (!this.#reaches(asker, name)) {
      return end(Math.min(unreachedMs, limitMs), "failed", "it does not answer");
    }
    const { result, takesMs } = this.#behaviours.get(name) ?? this.#usual.get(name) ?? goodFence;
    const tookMs = takesMs * this.random.between(0.8, 1.2);
    if (result === "hangs") return end(limitMs, "unknown", "no answer within its limit");
    if (result === "works") this.queue.in(tookMs / 2, strike);
    if (tookMs > limitMs) return end(limitMs, "unknown", "no answer within its limit");
    if (result === "fails") return end(tookMs, "failed", "it reports an error");
    if (result === "lies") return end(tookMs, "fenced", "off");
    this.queue.in(tookMs, () => {
      verified();
      if (this.#reaches(asker, name)) end(0, "fenced", "off");
      else end(Math.max(0, limitMs - tookMs), "unknown", "its answer was lost");
    });
  }

  #reaches(asker: string, device: string): boolean {
    const { network, powerOf } = this.#places.get(device) ?? { network: "management", powerOf: null };
    if (powerOf !== null && !this.machine(powerOf).hasSupply) return false;
    if (network === "service") return this.service.segment(asker) === 0;
    return !this.#cuts.has(`${asker} ${device}`);
  }
}
