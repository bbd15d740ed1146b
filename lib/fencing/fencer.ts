/**
 * Fences a node with the devices that can, in the order of the settings, and answers once: fenced by the first that
 * is verified; `unknown` if any of the others may have done it, else `failed`. Devices that belong together, such as
 * the strips of two power supplies, are one rung: all of them must be verified, at the same time.
 */

import { fenceRungs, wholeOutcome } from "../core/fence_rungs.ts";
import type { FencingSettings } from "../core/settings.ts";
import { AgentDevice } from "./agent.ts";
import type { FenceOutcome, Tell } from "./fence.ts";

export interface FenceCare {
  /** A device that is not to be used now. */
  readonly refused?: (device: AgentDevice) => boolean;
  /** How switching the node on again ended. */
  readonly restarted?: (isOn: boolean, devices: string) => void;
}

export class Fencer {
  readonly devices: readonly AgentDevice[];

  constructor(readonly settings: FencingSettings) {
    this.devices = settings.devices.map((device) => new AgentDevice(device));
  }

  /** The devices that can fence a node, by rungs. */
  rungsOf(node: string): AgentDevice[][] {
    return fenceRungs(this.settings, node).map((rung) =>
      this.devices.filter((device) => rung.some(({ name }) => name === device.name))
    );
  }

  /** Whether it switches nodes off only together with others. */
  hasPartners(device: AgentDevice): boolean {
    return (this.settings.together ?? []).some((names) => names.includes(device.name) && names.length > 1);
  }

  /**
   * Never rejects. With `action: reboot` the node is switched on again afterwards, which nobody waits for: it is
   * fenced as soon as it was verified to be off.
   */
  async fence(node: string, tell: Tell, care: FenceCare = {}): Promise<FenceOutcome> {
    const reasons: string[] = [];
    let isUnknown = false;
    for (const rung of this.rungsOf(node)) {
      const refused = rung.find((device) => care.refused?.(device) === true);
      if (refused !== undefined) {
        reasons.push(`${refused.name} is not used, because what it says of the power cannot be`);
        continue;
      }
      const outcome = wholeOutcome(await Promise.all(rung.map((device) => fenceBy(device, node, tell))));
      if (outcome.result === "fenced") {
        void this.#restart(rung, node, tell, care);
        return outcome;
      }
      isUnknown ||= outcome.result === "unknown";
      reasons.push(outcome.reason);
    }
    if (reasons.length === 0) {
      return { kind: "fence", result: "failed", reason: `no device can fence ${node}` };
    }
    return { kind: "fence", result: isUnknown ? "unknown" : "failed", reason: reasons.join("; ") };
  }

  /** Switches a node on by the first rung that can. */
  async release(node: string, tell: Tell): Promise<boolean> {
    for (const rung of this.rungsOf(node)) if (await releaseBy(rung, node, tell)) return true;
    return false;
  }

  async #restart(
    rung: readonly AgentDevice[],
    node: string,
    tell: Tell,
    { restarted }: FenceCare,
  ): Promise<void> {
    if (this.settings.action !== "reboot") return;
    if ((await Promise.all(rung.map((device) => device.isFabric()))).includes(true)) return;
    const isOn = await releaseBy(rung, node, tell);
    restarted?.(isOn, rung.map(({ name }) => name).join(" and "));
  }
}

async function fenceBy(device: AgentDevice, node: string, tell: Tell): Promise<FenceOutcome> {
  return await device.fence(node, tell).catch((error): FenceOutcome => (
    { kind: "fence", result: "unknown", reason: `${device.name}: ${error}` }
  ));
}

async function releaseBy(rung: readonly AgentDevice[], node: string, tell: Tell): Promise<boolean> {
  const each = await Promise.all(rung.map((device) => device.release(node, tell).catch(() => false)));
  return !each.includes(false);
}
