/**
 * A virtual IP address on this machine, held with a lease that the kernel enforces: the address is set with a life of
 * `leaseSeconds` and its life is renewed from the decision loop. If that loop dies, hangs or starves, the kernel takes
 * the address away, and nothing that this process did or did not do can keep it.
 *
 *                start                     renew (before it runs out)
 *     absent ───────────► held ◄──────────────────┐
 *        ▲                 │ ├────────────────────┘
 *        └── drop ─────────┤
 *        └── lease over ───┘   (by the kernel; renew then says `lost`, and never brings it back)
 *
 * Every method is synchronous, takes microseconds and throws nothing. What it must never do: give an address a new
 * life after the instant up to which the caller's decision was good. A process can be stopped between any two
 * instructions, also between the decision and the system call; so the clock is read again *after* the call, and what
 * came too late is taken back at once.
 */

import type { ResourceOutcome } from "../core/inputs.ts";
import type { VipSpec } from "../core/settings.ts";
import type { AddressInfo, LinkInfo, Netlink } from "../system/netlink.ts";
import { IFA_F } from "../system/netlink.ts";
import { addressBytes, addressText, isSameSubnet } from "../system/packets/ip_address.ts";

/** What of the kernel's tables this needs; `Netlink` is one. */
export type AddressTable = Pick<
  Netlink,
  "link" | "links" | "addresses" | "setAddress" | "removeAddress" | "deviceForAddress"
>;

export interface VipParts {
  readonly table: AddressTable;
  /** The clock of the deadlines that are handed in; `monotonicMs`. */
  readonly now: () => number;
  /** See `promoteSecondaries`. */
  readonly keepSecondaries: (device: string) => void;
}

/** Where an address is, or belongs. */
export interface VipPlace {
  readonly link: LinkInfo;
  readonly prefix: number;
}

export type Renewal =
  | { readonly kind: "renewed" }
  /** Not there any more: removed by somebody, or its lease ran out. Nothing was done. */
  | { readonly kind: "lost" }
  /** The deadline had passed. The address was left to run out or, where it had got a new life, removed. */
  | { readonly kind: "late"; readonly lateMs: number }
  | { readonly kind: "failed"; readonly reason: string };

/** Exit codes as an OCF agent would give them. */
const OK = 0, GENERIC = 1, NOT_PERMITTED = 4, NOT_CONFIGURED = 6, NOT_RUNNING = 7;

export class VipHolder {
  #place: VipPlace | null = null;
  /** IPv6: our address must not own the route of a subnet that other addresses are in. */
  #noPrefixRoute = false;

  constructor(readonly spec: VipSpec, readonly parts: VipParts) {}

  /** Where the address was put by `start`; `null` before it. */
  get place(): VipPlace | null {
    return this.#place;
  }

  /**
   * Puts the address on its interface, or adopts it where it is there already. `deadlineMs` is the last instant, on
   * the clock of the parts, at which that is still wanted; `null`: always.
   */
  start(deadlineMs: number | null = null): ResourceOutcome {
    return this.#guarded("start", () => {
      const { table, now } = this.parts;
      if (deadlineMs !== null && now() > deadlineMs) return this.#late(now() - deadlineMs);
      const place = this.findPlace();
      if (typeof place === "string") {
        return this.#outcome("failed", NOT_CONFIGURED, this.#cannot("start", place));
      }
      if (!place.link.isUp) {
        return this.#outcome(
          "failed",
          GENERIC,
          this.#cannot("start", `interface "${place.link.name}" is down`),
        );
      }
      const addresses = table.addresses(this.spec.family);
      const found = this.#instances(addresses);
      const elsewhere = found.find((info) => info.index !== place.link.index);
      if (elsewhere !== undefined) {
        const where = `it is on interface "${this.#nameOf(elsewhere.index)}" already; remove it there`;
        return this.#outcome("failed", GENERIC, this.#cannot("start", where));
      }
      this.#noPrefixRoute = this.spec.family === 6 && this.#sharesSubnet(place, addresses);
      if (this.spec.family === 4) this.parts.keepSecondaries(place.link.name);
      this.#set(place);
      this.#place = place;
      if (deadlineMs !== null && now() > deadlineMs) {
        const lateMs = now() - deadlineMs;
        this.#removeAll(place.link.index);
        return this.#late(lateMs);
      }
      for (const stray of found) {
        if (stray.prefix !== place.prefix) table.removeAddress(stray.index, stray.address, stray.prefix);
      }
      return this.#outcome("running", OK, this.#startReason(place, found));
    });
  }

  /**
   * The interface on which the kernel has the address, whoever put it there; `null`: none. The loopback interface never
   * counts, not even where it is the configured one: a real server of a load balancer has its address there, for itself.
   */
  foundOn(): string | null {
    try {
      const found = this.#instances(this.parts.table.addresses(this.spec.family));
      return found.map(({ index }) => this.#nameOf(index)).find((name) => name !== "lo") ?? null;
    } catch {
      return null; // Looked for again at the next change.
    }
  }

  /** Gives the address a whole lease from now, if it is still there. */
  renew(deadlineMs: number | null = null): Renewal {
    const { now } = this.parts;
    try {
      const place = this.#place;
      if (place === null) return { kind: "lost" };
      const addresses = this.parts.table.addresses(this.spec.family);
      if (!this.#instances(addresses).some((info) => this.#isOurs(info))) return { kind: "lost" };
      if (deadlineMs !== null && now() > deadlineMs) return { kind: "late", lateMs: now() - deadlineMs };
      if (this.spec.leaseSeconds !== null) this.#set(place);
      if (deadlineMs !== null && now() > deadlineMs) {
        const lateMs = now() - deadlineMs;
        this.#removeAll(place.link.index);
        return { kind: "late", lateMs };
      }
      return { kind: "renewed" };
    } catch (error) {
      return { kind: "failed", reason: messageOf(error) };
    }
  }

  /** Takes the address off. Succeeds where it is absent; fails where it stays on another interface than ours. */
  drop(): ResourceOutcome {
    return this.#guarded("stop", () => {
      const device = this.#place?.link.name ?? this.spec.device;
      const link = device === null ? null : this.parts.table.link(device);
      const before = this.#instances(this.parts.table.addresses(this.spec.family));
      for (const info of before) {
        if (device === null || info.index === link?.index) {
          this.parts.table.removeAddress(info.index, info.address, info.prefix);
        }
      }
      const [left] = this.#instances(this.parts.table.addresses(this.spec.family));
      if (left !== undefined) {
        const where = `it is on interface "${
          this.#nameOf(left.index)
        }", which the configuration does not name`;
        return this.#outcome("failed", GENERIC, this.#cannot("stop", `${where}; remove it there`));
      }
      return this.#outcome(
        "stopped",
        OK,
        before.length === 0 ? "was not there" : `removed from ${device ?? "all"}`,
      );
    });
  }

  monitor(): ResourceOutcome {
    return this.#guarded("monitor", () => {
      const [info] = this.#instances(this.parts.table.addresses(this.spec.family)).filter((instance) =>
        this.#isOurs(instance)
      );
      if (info === undefined) {
        return this.#outcome("stopped", NOT_RUNNING, "the address is not on this machine");
      }
      const device = this.#nameOf(info.index);
      if (this.parts.table.link(device)?.isUp !== true) {
        return this.#outcome("failed", GENERIC, `interface "${device}" is down`);
      }
      if ((info.flags & IFA_F.DADFAILED) !== 0) {
        return this.#outcome(
          "failed",
          GENERIC,
          `the kernel found the address in use elsewhere (dadfailed on ${device})`,
        );
      }
      const life = info.validSeconds === null ? "without a lease" : `lease ends in ${info.validSeconds} s`;
      return this.#outcome("running", OK, `on ${device}, ${life}`);
    });
  }

  /** The address is on its interface at this moment. An unreadable table counts as no. */
  isPresent(): boolean {
    return this.instance() !== null;
  }

  /** How the kernel has the address now; `null`: not there. */
  instance(): AddressInfo | null {
    try {
      const found = this.#instances(this.parts.table.addresses(this.spec.family));
      return found.find((info) => this.#isOurs(info)) ?? null;
    } catch {
      return null;
    }
  }

  #set({ link, prefix }: VipPlace): void {
    const { address, family, label, leaseSeconds } = this.spec;
    this.parts.table.setAddress({
      index: link.index,
      address,
      prefix,
      validSeconds: leaseSeconds,
      ...(family === 6
        // Never the source of our own connections, which would break at the next move; usable at once, because the
        // question whether a stranger has it was put by us.
        ? { preferredSeconds: 0, skipDuplicateDetection: true, noPrefixRoute: this.#noPrefixRoute }
        : { label, broadcast: this.spec.broadcast ?? defaultBroadcast(address, prefix) }),
    });
  }

  /** The interface and prefix that the configuration means on this machine, or why there is none. May throw. */
  findPlace(): VipPlace | string {
    const { table } = this.parts;
    const { address, family, device, prefix } = this.spec;
    const hostPrefix = family === 4 ? 32 : 128;
    if (device === null) {
      const found = table.deviceForAddress(address);
      const link = found === null ? null : table.link(found.name);
      const isHeld = link !== null &&
        this.#instances(table.addresses(family)).some((info) => info.index === link.index);
      if (found === null || link === null || (found.prefixOfLocalSubnet === null && !isHeld)) {
        return `no interface of this machine has a subnet with it; name one, as ${address}/PREFIX/DEV`;
      }
      return { link, prefix: prefix ?? found.prefixOfLocalSubnet ?? hostPrefix };
    }
    const link = table.link(device);
    if (link === null) {
      const names = table.links().map((each) => `"${each.name}"`).join(", ");
      return `there is no interface "${device}"; there is ${names}`;
    }
    if (prefix !== null) return { link, prefix };
    const subnets = table.addresses(family)
      .filter((info) => info.index === link.index && info.address !== address && info.prefix < hostPrefix)
      .filter((info) => isSameSubnet(addressBytes(info.address)!, addressBytes(address)!, info.prefix))
      .map((info) => info.prefix);
    return { link, prefix: subnets.length > 0 ? Math.max(...subnets) : hostPrefix };
  }

  /** All places where the address is. On the loopback interface it is a load balancer's target, not a holder. */
  #instances(addresses: readonly AddressInfo[]): AddressInfo[] {
    const found = addresses.filter((info) => info.address === this.spec.address);
    if (found.length === 0 || this.spec.device === "lo" || /^(127\.|::1$)/.test(this.spec.address)) {
      return found;
    }
    const loopback = this.parts.table.link("lo")?.index;
    return found.filter((info) => info.index !== loopback);
  }

  #isOurs(info: AddressInfo): boolean {
    if (this.#place !== null) return info.index === this.#place.link.index;
    return this.spec.device === null || info.index === this.parts.table.link(this.spec.device)?.index;
  }

  #sharesSubnet({ link, prefix }: VipPlace, addresses: readonly AddressInfo[]): boolean {
    const own = addressBytes(this.spec.address)!;
    return addresses.some((info) =>
      info.index === link.index && info.address !== this.spec.address && info.prefix === prefix &&
      isSameSubnet(addressBytes(info.address)!, own, prefix)
    );
  }

  #removeAll(index: number): void {
    for (const info of this.#instances(this.parts.table.addresses(this.spec.family))) {
      if (info.index === index) this.parts.table.removeAddress(index, info.address, info.prefix);
    }
  }

  #startReason({ link, prefix }: VipPlace, found: readonly AddressInfo[]): string {
    const where = `on ${link.name} as ${this.spec.address}/${prefix}`;
    const carrier = link.hasCarrier ? "" : "; the interface has no carrier";
    if (found.length === 0) return `added ${where}${carrier}`;
    const hadLease = found.every((info) => info.validSeconds !== null);
    const note = !hadLease && this.spec.leaseSeconds !== null
      ? `was ${where} already, without a lease: adopted, and has one now`
      : `was ${where} already`;
    return `${note}${carrier}`;
  }

  #late(lateMs: number): ResourceOutcome {
    const late = `this process slept ${Math.ceil(lateMs)} ms past the decision; the address is not taken`;
    return this.#outcome("failed", GENERIC, this.#cannot("start", late));
  }

  #nameOf(index: number): string {
    return this.parts.table.links().find((link) => link.index === index)?.name ?? `#${index}`;
  }

  #cannot(operation: string, reason: string): string {
    return `Cannot ${operation} address "${this.spec.address}": ${reason}`;
  }

  #guarded(operation: string, act: () => ResourceOutcome): ResourceOutcome {
    const startedMs = this.parts.now();
    const timed = (outcome: ResourceOutcome) => ({
      ...outcome,
      durationMs: Math.round(this.parts.now() - startedMs),
    });
    try {
      return timed(act());
    } catch (error) {
      const isForbidden = (error as { exitCode?: unknown }).exitCode === 77;
      const reason = this.#cannot(operation, messageOf(error));
      return timed(this.#outcome("failed", isForbidden ? NOT_PERMITTED : GENERIC, reason));
    }
  }

  #outcome(result: ResourceOutcome["result"], code: number, reason: string): ResourceOutcome {
    return { kind: "resource", result, code, reason, output: [], durationMs: 0 };
  }
}

/** The highest address of the subnet, as IPaddr2 sets it; `null` where the subnet has none. */
export function defaultBroadcast(address: string, prefix: number): string | null {
  const bytes = addressBytes(address)?.slice();
  if (bytes?.length !== 4 || prefix > 30) return null;
  for (let bit = prefix; bit < 32; bit++) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return addressText(bytes);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
