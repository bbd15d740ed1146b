/**
 * This machine's interfaces and addresses, read through netlink without any permission, and which interface an
 * address belongs on. Read at the begin of a check and at its end, so that a move in between is seen.
 */

import { type AddressInfo, IFA_F, type LinkInfo, Netlink } from "../system/netlink.ts";
import { hardwareText } from "../system/packets/ip_address.ts";
import type { Evidence, InterfaceState, OwnAddress, Unseen } from "./evidence.ts";
import type { CheckedVip, CheckQuestion } from "./question.ts";

export interface Host {
  readonly links: readonly LinkInfo[];
  readonly addresses: readonly AddressInfo[];
  /** Interface of each address of the question whose subnet is on this machine: where neighbours can be asked. */
  readonly devices: ReadonlyMap<string, string>;
}

export function readHost(question: CheckQuestion): Host {
  const netlink = Netlink.open();
  try {
    const links = netlink.links();
    const devices = new Map<string, string>();
    const named = new Map(question.vips.map((vip) => [vip.address, vip.device]));
    const asked = [...named.keys(), ...question.nodes.flatMap((node) => node.addresses)];
    for (const address of asked) {
      const given = named.get(address) ?? null;
      const found = given === null ? netlink.deviceForAddress(address) : null;
      const device = given ?? (found?.prefixOfLocalSubnet == null ? null : found.name);
      if (device !== null) devices.set(address, device);
    }
    return { links, addresses: netlink.addresses(), devices };
  } finally {
    netlink.close();
  }
}

/** Whether and where this machine has the address. An address that failed its duplicate check is not in use. */
export function ownAddress(host: Host, vip: CheckedVip): { device: string; info: AddressInfo } | null {
  const info = host.addresses.find((own) =>
    own.address === vip.address && (own.flags & IFA_F.DADFAILED) === 0
  );
  const link = host.links.find((candidate) => candidate.index === info?.index);
  return info === undefined || link === undefined ? null : { device: link.name, info };
}

export function hardwareOf(host: Host, device: string): string | null {
  const link = host.links.find((candidate) => candidate.name === device);
  return link === undefined ? null : hardwareText(link.hardware);
}

/** What the two readings tell of the checked addresses and the interfaces that matter. */
export function hostEvidence(question: CheckQuestion, before: Host, after: Host): Evidence[] {
  const devices = new Set(before.devices.values());
  for (const link of question.links) if (link.kind === "network") devices.add(link.device);
  const linked = new Set(question.links.flatMap((link) => link.kind === "network" ? [link.device] : []));
  const missing = [...linked].filter((device) => !after.links.some((link) => link.name === device));
  return [
    ...question.vips.map((vip) => addressEvidence(vip, before, after)),
    ...[...devices].map((device) => interfaceEvidence(device, after)),
    ...missing.map((device) => noInterface(device, after)),
  ];
}

function addressEvidence(vip: CheckedVip, before: Host, after: Host): OwnAddress {
  const now = ownAddress(after, vip);
  return {
    kind: "own-address",
    source: "host",
    subject: vip.address,
    ageMs: 0,
    wasHere: ownAddress(before, vip) !== null,
    isHere: now !== null,
    device: now?.device ?? before.devices.get(vip.address) ?? null,
    validSeconds: now?.info.validSeconds ?? null,
  };
}

/** A link is not asked about on an interface that is gone, or whose name was mistyped. */
function noInterface(device: string, { links }: Host): Unseen {
  const reason = `there is no interface of that name; there are: ${links.map(({ name }) => name).join(", ")}`;
  return { kind: "unseen", source: "host", subject: `link ${device}`, ageMs: 0, reason, capability: null };
}

function interfaceEvidence(device: string, host: Host): InterfaceState {
  const link = host.links.find((candidate) => candidate.name === device);
  const addresses = host.addresses.filter((own) => own.index === link?.index);
  return {
    kind: "interface",
    source: "host",
    subject: device,
    ageMs: 0,
    exists: link !== undefined,
    isUp: link?.isUp ?? false,
    hasCarrier: link?.hasCarrier ?? false,
    mtu: link?.mtu ?? 0,
    hardware: link === undefined ? "" : hardwareText(link.hardware),
    addresses: addresses.map((own) => `${own.address}/${own.prefix}`),
  };
}
