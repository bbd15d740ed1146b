/**
 * Listens to the heartbeats of the other nodes on the interfaces of the settings, beside whatever daemon runs here,
 * and counts what came. It sends nothing; it believes only what is signed with a key of the settings.
 */

import { linkName, type Settings } from "../core/settings.ts";
import { EnvironmentError } from "../errors.ts";
import { HeardHeartbeats } from "../measure/heartbeats.ts";
import { monotonicMs } from "../system/clock.ts";
import { Netlink } from "../system/netlink.ts";
import { readIpPacket, readUdp } from "../system/packets/ip_packet.ts";
import { Sniffer } from "../system/sniffer.ts";
import { open } from "../wire/packet.ts";

/** Finer than any heartbeat is late; coarser than what would keep a core busy. */
const lookIntervalMs = 5;

export class HeartbeatEar {
  readonly tally: HeardHeartbeats;
  readonly #devices: readonly string[];
  readonly #ports = new Set<number>();
  readonly #groups: string[] = [];
  readonly #sniffers: Sniffer[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(readonly settings: Settings, readonly node: string, only: readonly string[] | undefined) {
    const devices = new Set<string>();
    for (const medium of settings.media) {
      if (medium.kind === "tcp" || medium.kind === "serial") continue;
      if (only !== undefined && !only.includes(linkName(medium))) continue;
      devices.add(medium.device);
      this.#ports.add(medium.port);
      if (medium.kind === "mcast") this.#groups.push(medium.group);
    }
    this.#devices = [...devices];
    this.tally = new HeardHeartbeats(this.#devices);
  }

  /** Throws an environment error: no such interface, no permission, no link that can be listened to. */
  open(): void {
    if (this.#devices.length === 0) {
      throw new EnvironmentError(
        "Cannot listen to heartbeats: the settings have no UDP link; see heartline status for the others",
      );
    }
    const netlink = Netlink.open();
    try {
      for (const device of this.#devices) {
        const link = netlink.link(device);
        if (link === null) {
          throw new EnvironmentError(`Cannot listen on "${device}": there is no such interface; see ip link`);
        }
        this.#sniffers.push(Sniffer.open(link, { udpPorts: [...this.#ports], groups: this.#groups }));
      }
    } catch (error) {
      this.close();
      throw error;
    } finally {
      netlink.close();
    }
    this.#timer = setInterval(() => this.#look(), lookIntervalMs);
  }

  /** Packets that came faster than we looked. */
  droppedCount(): number {
    return this.#sniffers.reduce((sum, sniffer) => sum + sniffer.droppedCount(), 0);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const sniffer of this.#sniffers.splice(0)) sniffer.close();
  }

  #look(): void {
    const { authentication } = this.settings;
    for (const sniffer of this.#sniffers) {
      for (const { direction, bytes, device } of sniffer.poll()) {
        const ip = direction === "in" ? readIpPacket(bytes) : null;
        const udp = ip === null ? null : readUdp(ip.payload);
        if (udp === null || !this.#ports.has(udp.port)) continue;
        const opened = open(udp.payload, { authentication, isPrivate: false });
        if (!opened.ok) continue;
        const { source, sequence, generation, type } = opened.message;
        if (sequence === null || source === this.node || !this.settings.nodes.includes(source)) continue;
        this.tally.add(source, device, generation, sequence, type === "status", monotonicMs());
      }
    }
  }
}
