/**
 * UDP broadcast, the Heartbeat directive `bcast`: one packet reaches all nodes on the wire of an interface. It hears
 * only what was sent to the broadcast address of that interface's own subnet, on that interface.
 */

import type { BcastSettings } from "../core/settings.ts";
import { addressBytes } from "../system/packets/ip_address.ts";
import type { Interfaces } from "./addresses.ts";
import { type GroupEnds, type GroupSettings, UdpGroup } from "./udp_group.ts";

/** One medium for each directive. */
export function bcastMedia(directives: readonly BcastSettings[]): UdpGroup[] {
  return directives.map((directive) => new UdpGroup(broadcastOf(directive)));
}

function broadcastOf({ device, port }: BcastSettings): GroupSettings {
  return {
    description: `bcast ${device}`,
    device,
    port,
    find: (interfaces) => broadcastEnds(device, interfaces),
    prepare: ({ sender }) => sender.socket.setBroadcast(true),
  };
}

/**
 * The first IPv4 address with a subnet that has a broadcast address. It is computed from the prefix, as the kernel
 * does for its routes, whether or not one was given when the address was added.
 */
export function broadcastEnds(device: string, interfaces: Interfaces): GroupEnds | string {
  const infos = interfaces[device];
  if (infos === undefined) return `interface ${device} does not exist or is down`;
  for (const { family, address, netmask } of infos) {
    if (family !== "IPv4") continue;
    const mask = addressBytes(netmask)!;
    const group = addressBytes(address)!.map((byte, i) => byte | (~mask[i]! & 0xff)).join(".");
    if (mask[3]! <= 252) return { local: address, group };
  }
  return infos.some((info) => info.family === "IPv4")
    ? `interface ${device} has no address with a broadcast address, only such with a prefix of /31 or /32`
    : `interface ${device} has no IPv4 address, which a broadcast needs`;
}
