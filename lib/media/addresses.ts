/**
 * Decides which own address a UDP medium uses, from what the interfaces have now. Pure: the caller hands in what
 * `os.networkInterfaces()` said. It never falls back to the wildcard address: the address bound to is what ties a
 * medium to its link, since node:dgram can bind to no device.
 */

import { BlockList, isIP } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

export function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** `fe80::/10`: means nothing without an interface. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}

/** A link-local address with the interface it belongs to; any other address as it is. */
export function scoped(address: string, device: string): string {
  return isLinkLocal(address) && !address.includes("%") ? `${address}%${device}` : address;
}

export function unscoped(address: string): string {
  const percent = address.indexOf("%");
  return percent < 0 ? address : address.slice(0, percent);
}

export function isSameAddress(a: string, b: string): boolean {
  if (familyOf(a) !== familyOf(b)) return false;
  const one = new BlockList();
  one.addAddress(unscoped(a), familyOf(a));
  return one.check(unscoped(b), familyOf(b));
}

/** Whether some interface of this machine has the address. */
export function isOwnAddress(address: string, interfaces: Interfaces): boolean {
  return Object.values(interfaces).some((infos) =>
    infos?.some((info) => isSameAddress(info.address, address))
  );
}

/** The address of `device` to reach `peer` from: in its subnet, else (behind a router) any that is not link-local. */
export function sourceFor(peer: string, device: string, interfaces: Interfaces): string | null {
  const family = familyOf(peer);
  const own = (interfaces[device] ?? []).filter((info) =>
    info.family === (family === "ipv6" ? "IPv6" : "IPv4")
  );
  const near = own.find((info) => isInSubnet(peer, info)) ??
    own.find((info) => !isLinkLocal(info.address) && !isLinkLocal(peer));
  return near === undefined ? null : scoped(near.address, device);
}

function isInSubnet(address: string, info: NetworkInterfaceInfo): boolean {
  if (isLinkLocal(address) !== isLinkLocal(info.address)) return false;
  const prefix = Number(info.cidr?.split("/")[1] ?? NaN);
  if (!Number.isInteger(prefix)) return false;
  const subnet = new BlockList();
  subnet.addSubnet(unscoped(info.address), prefix, familyOf(info.address));
  return subnet.check(unscoped(address), familyOf(address));
}

/** `10.0.0.2:694`, `[fe80::1%hb0]:694`. */
export function endpointText(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
