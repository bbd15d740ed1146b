/**
 * The daemon's virtual addresses: puts them on and takes them off, renews their leases, announces them, and tells the
 * core when one was removed by somebody else, or put on, when its interface loses its carrier, or when somebody else
 * claims it.
 */

import type { Input, ResourceOutcome } from "../core/inputs.ts";
import { clamp } from "../core/limits.ts";
import type { Settings, Timing, VipSpec } from "../core/settings.ts";
import { type Announcer, openAnnouncer } from "../resources/announcer.ts";
import { VipHolder, type VipParts } from "../resources/vip.ts";
import { AddressMonitor, type LinkInfo, type Netlink } from "../system/netlink.ts";
import { hardwareText } from "../system/packets/ip_address.ts";

/**
 * How often the kernel's announcements and the neighbours' claims are read: a removed address is back, a lost carrier
 * known and a rival answered within this. Lower costs processor time all day long; it follows the keepalive, because
 * who wants to fail over fast wants to know fast.
 */
function pollMsFor(timing: Timing): number {
  return clamp(Math.floor(timing.keepaliveMs / 2), 10, 500);
}

interface Vip {
  readonly group: string;
  readonly resource: number;
  readonly spec: VipSpec;
  readonly holder: VipHolder;
  announcer: Announcer | null;
  isHeld: boolean;
  /** Where the core was told that it is though it is not held; `null`: nowhere. */
  strayOn: string | null;
  /** Under which name the core was told that the carrier is gone; `null`: it is there. */
  deadDevice: string | null;
}

export class Vips {
  readonly #vips: Vip[] = [];
  #monitor: AddressMonitor | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly settings: Settings,
    readonly table: Netlink,
    parts: VipParts,
    readonly input: (input: Input) => void,
    readonly note: (sentence: string) => void,
  ) {
    for (const group of settings.groups) {
      for (const [resource, { spec }] of group.resources.entries()) {
        if (spec.kind !== "vip") continue;
        const holder = new VipHolder(spec, parts);
        this.#vips.push({
          group: group.name,
          resource,
          spec,
          holder,
          announcer: null,
          isHeld: false,
          strayOn: null,
          deadDevice: null,
        });
      }
    }
  }

  /** Begins to watch the kernel's tables. */
  open(): void {
    if (this.#vips.length === 0) return;
    this.#monitor = AddressMonitor.open();
    this.#checkCarriers();
    for (const vip of this.#vips) this.#checkStray(vip);
    this.#timer = setInterval(() => this.#poll(), pollMsFor(this.settings.timing));
  }

  run(
    group: string,
    resource: number,
    operation: "start" | "stop" | "monitor",
    goodUntilMs: number,
  ): ResourceOutcome {
    const vip = this.#vips.find((each) => each.group === group && each.resource === resource)!;
    if (operation === "monitor") return vip.holder.monitor();
    if (operation === "stop") {
      const stopped = this.#stop(vip);
      this.#checkStray(vip);
      return stopped;
    }
    const outcome = vip.holder.start(goodUntilMs);
    if (outcome.result !== "running") return outcome;
    vip.isHeld = true;
    this.#announceFromNow(vip);
    return outcome;
  }

  isHeld(group: string, resource: number): boolean {
    return this.#vips.some((vip) => vip.group === group && vip.resource === resource && vip.isHeld);
  }

  /** Gives the group's held addresses another lease. */
  renew(group: string, goodUntilMs: number): void {
    for (const vip of this.#held(group)) {
      const renewal = vip.holder.renew(goodUntilMs);
      switch (renewal.kind) {
        case "renewed":
          break;
        case "lost":
          this.input({ kind: "address-lost", group: vip.group, resource: vip.resource });
          break;
        case "late":
          this.note(`the lease of ${vip.spec.address} was not renewed: ${renewal.lateMs} ms too late`);
          break;
        case "failed":
          this.note(`the lease of ${vip.spec.address} was not renewed: ${renewal.reason}`);
          break;
      }
    }
  }

  /** Takes the group's addresses off at once. */
  drop(group: string): void {
    const vips = this.#vips.filter((vip) => vip.group === group);
    for (const vip of vips) this.#stop(vip);
    // Not before all are off.
    for (const vip of vips) this.#checkStray(vip);
  }

  announce(group: string): void {
    for (const vip of this.#held(group)) vip.announcer?.again();
  }

  /** The group's addresses with the interfaces on which to ask for them. */
  questions(group: string): { readonly address: string; readonly device: string }[] {
    return this.#vips.filter((vip) => vip.group === group).map((vip) => ({
      address: vip.spec.address,
      device: this.#deviceOf(vip) ?? vip.spec.device ?? "(no interface for its subnet)",
    }));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const vip of this.#vips) vip.announcer?.close();
    this.#monitor?.close();
    this.#monitor = null;
  }

  #held(group: string): Vip[] {
    return this.#vips.filter((vip) => vip.group === group && vip.isHeld);
  }

  #stop(vip: Vip): ResourceOutcome {
    vip.isHeld = false;
    const outcome = vip.holder.drop();
    // Its socket goes too: what others announce from now on is no claim against us when we hold the address again.
    vip.announcer?.close();
    vip.announcer = null;
    return outcome;
  }

  #announceFromNow(vip: Vip): void {
    try {
      vip.announcer?.close();
      vip.announcer = openAnnouncer(vip.spec, vip.holder.place!.link, {
        listenPauseMs: null,
        isHeld: () => vip.isHeld && vip.holder.isPresent(),
        claimed: (address, hardware) => this.input({ kind: "claim", group: vip.group, address, hardware }),
        failed: (reason) => this.note(`cannot announce ${vip.spec.address}: ${reason}`),
        ignore: [
          ...this.table.links().map((link) => hardwareText(link.hardware)),
          ...this.settings.ignoreAnswersFrom,
        ],
      });
      vip.announcer?.start();
    } catch (error) {
      this.note(
        `cannot announce ${vip.spec.address}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  #poll(): void {
    for (const vip of this.#vips) if (vip.isHeld) vip.announcer?.listen();
    let hasLinkNews = false;
    let hasAddressNews = false;
    for (const event of this.#monitor?.poll() ?? []) {
      if (event.kind === "address-removed" || event.kind === "overrun") hasAddressNews = true;
      if (event.kind === "address-set" && this.#isUnheld(event.address.address)) hasAddressNews = true;
      // An address that names no interface is on that of its subnet, which may get its own address only now.
      if (event.kind === "address-set" && this.#vips.some(isWithoutPlace)) hasLinkNews = true;
      if (event.kind === "link-set" || event.kind === "link-removed" || event.kind === "overrun") {
        hasLinkNews = true;
      }
    }
    if (hasLinkNews) this.#checkCarriers();
    if (!hasAddressNews) return;
    for (const vip of this.#vips) {
      if (vip.isHeld && !vip.holder.isPresent()) {
        this.input({ kind: "address-lost", group: vip.group, resource: vip.resource });
      }
      this.#checkStray(vip);
    }
  }

  /** Our own renewals set what is held all the time: that is no news. */
  #isUnheld(address: string): boolean {
    return this.#vips.some((vip) => !vip.isHeld && vip.spec.address === address);
  }

  #checkStray(vip: Vip): void {
    const device = vip.isHeld ? null : vip.holder.foundOn();
    if (device === vip.strayOn) return;
    vip.strayOn = device;
    this.input({ kind: "stray", group: vip.group, address: vip.spec.address, device });
  }

  #checkCarriers(): void {
    const links = this.table.links();
    for (const vip of this.#vips) {
      const device = this.#deviceOf(vip);
      const link = links.find((each) => each.name === device);
      const isUp = isUsable(link);
      if (isUp === (vip.deadDevice === null)) continue;
      // While it is down nobody may know which interface it was: what ends is what was told, under the same name.
      const name = vip.deadDevice ?? device ?? vip.spec.address;
      vip.deadDevice = isUp ? null : name;
      this.input({ kind: "carrier", group: vip.group, device: name, isUp });
    }
  }

  #deviceOf(vip: Vip): string | null {
    if (vip.spec.device !== null) return vip.spec.device;
    const place = vip.holder.place ?? vip.holder.findPlace();
    return typeof place === "string" ? null : place.link.name;
  }
}

function isWithoutPlace(vip: Vip): boolean {
  return vip.spec.device === null && vip.deadDevice !== null;
}

function isUsable(link: LinkInfo | undefined): boolean {
  return link !== undefined && link.isUp && link.hasCarrier;
}
