/**
 * UDP multicast, the Heartbeat directives `mcast` and `mcast6`: one packet reaches all nodes that joined the group,
 * and with a TTL above 1 also those behind routers that forward it. The group is joined on the interface only.
 */

import type { McastSettings } from "../core/settings.ts";
import { setMulticast } from "../system/bind_to_device.ts";
import { familyOf, type Interfaces, isLinkLocal, scoped } from "./addresses.ts";
import { type GroupEnds, type GroupSettings, UdpGroup } from "./udp_group.ts";

/** One medium for each directive. */
export function mcastMedia(directives: readonly McastSettings[]): UdpGroup[] {
  return directives.map((directive) => new UdpGroup(multicastOf(directive)));
}

function multicastOf({ device, group, port, ttl, loop }: McastSettings): GroupSettings {
  return {
    description: `mcast ${device} ${group} ${port}`,
    device,
    port,
    find: (interfaces) => multicastEnds(device, group, interfaces),
    prepare: ({ receiver, sender }, { local }) => {
      receiver.socket.addMembership(group, local);
      sender.socket.setMulticastInterface(local);
      setMulticast(sender.sender.descriptor, familyOf(group) === "ipv6" ? 6 : 4, ttl, loop);
    },
  };
}

/** The first address of the group's family: for a group of one wire (`ff02::`) preferably one of that wire too. */
export function multicastEnds(device: string, group: string, interfaces: Interfaces): GroupEnds | string {
  const infos = interfaces[device];
  if (infos === undefined) return `interface ${device} does not exist or is down`;
  const isSix = familyOf(group) === "ipv6";
  const own = infos.filter((info) => info.family === (isSix ? "IPv6" : "IPv4"));
  const isOfOneWire = /^ff[0-9a-f]2:/i.test(group);
  const chosen = own.find((info) => isLinkLocal(info.address) === isOfOneWire) ?? own[0];
  if (chosen === undefined) return `interface ${device} has no ${isSix ? "IPv6" : "IPv4"} address`;
  return { local: scoped(chosen.address, device), group: isSix ? `${group}%${device}` : group };
}
