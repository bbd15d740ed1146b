/**
 * Where on this machine a question about an address is put: finds the interface, refuses one that cannot carry it,
 * and opens the socket.
 */

import { suggestion } from "../../../lib/config/spelling.ts";
import { EnvironmentError } from "../../../lib/errors.ts";
import { NeighbourSocket } from "../../../lib/system/neighbour.ts";
import { type AddressInfo, type LinkInfo, Netlink } from "../../../lib/system/netlink.ts";

export interface Place {
  readonly link: LinkInfo;
  /** The addresses that this machine has, on any interface. */
  readonly ownAddresses: readonly AddressInfo[];
}

/** `device` `null`: the interface that leads to the address. Throws an environment error. */
export function findPlace(device: string | null, address: string | null): Place {
  const netlink = Netlink.open();
  try {
    const links = netlink.links();
    const names = links.map((link) => link.name);
    const name = device ?? deviceByRoute(netlink, address!, names);
    const link = links.find((candidate) => candidate.name === name);
    if (link === undefined) {
      throw new EnvironmentError(
        `Cannot use interface "${name}": there is none of that name; ${suggestion(name, names)}` +
          ` (there are: ${names.join(", ")})`,
      );
    }
    const unfit = unfitReason(link);
    if (unfit !== null) throw new EnvironmentError(`Cannot use interface "${name}": ${unfit}`);
    return { link, ownAddresses: netlink.addresses() };
  } finally {
    netlink.close();
  }
}

/** Throws an environment error; 77 when raw sockets are not permitted. */
export function openSockets(link: LinkInfo, families: ReadonlyArray<4 | 6>): NeighbourSocket[] {
  return families.map((family) => NeighbourSocket.open(link, family));
}

function deviceByRoute(netlink: Netlink, address: string, names: readonly string[]): string {
  const device = netlink.deviceForAddress(address);
  if (device !== null) return device.name;
  throw new EnvironmentError(
    `Cannot choose an interface for ${address}: no interface has a subnet that holds it and no route leads to it; ` +
      `name one with --dev (there are: ${names.join(", ")})`,
  );
}

function unfitReason(link: LinkInfo): string | null {
  if (!link.hasNeighbours) {
    return "it has no neighbours to talk to (a loopback or a tunnel); name another with --dev";
  }
  if (!link.isUp) return `it is down; "ip link set ${link.name} up" brings it up`;
  if (!link.hasCarrier) return "it has no carrier; check its cable, switch port or other end";
  return null;
}

/** Ctrl-C and a polite kill: ends what goes on, once; a second one ends the process in the ordinary way. */
export function untilInterrupted(): { readonly signal: AbortSignal; stopListening(): void } {
  const controller = new AbortController();
  const interrupt = () => {
    stopListening();
    controller.abort();
  };
  const stopListening = () => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return { signal: controller.signal, stopListening };
}

/** Waits; `false` when it was interrupted. */
export function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (isWhole: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", interrupt);
      resolve(isWhole);
    };
    const interrupt = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal.addEventListener("abort", interrupt);
  });
}
