/**
 * Whether packets as large as the interface allows pass to the other nodes: echo requests that may not be fragmented,
 * small, of the full size, and of some sizes between. Only the far end's answer proves anything.
 */

import { randomBytes } from "node:crypto";
import { EchoSocket } from "../../system/icmp.ts";
import { addressFamily, type Family } from "../../system/packets/ip_address.ts";
import type { PacketSizes } from "../circumstances.ts";
import type { Evidence } from "../evidence.ts";
import { unseenBy } from "../gather.ts";
import type { Look } from "../sources.ts";

/** IP header and the header of the echo. */
const headerBytes: Readonly<Record<Family, number>> = { 4: 28, 6: 48 };
const smallBytes = 100;
/** With 10 % loss each way, five in a row are lost once in 4,000 checks. */
const rounds = 5;
const pollIntervalMs = 10;

interface Asked {
  readonly address: string;
  readonly device: string;
  readonly mtu: number;
  readonly socket: EchoSocket;
  /** IP packet sizes, the small one first, the largest last. */
  readonly sizes: readonly number[];
  readonly answers: Map<number, number>;
}

export async function gatherPacketSizes({ question, host, window }: Look): Promise<Evidence[]> {
  const evidence: Evidence[] = [];
  const asked: Asked[] = [];
  const identifier = randomBytes(2).readUInt16BE();
  const take = () => {
    for (const { socket, sizes, answers, address } of asked) {
      for (const reply of socket.poll()) {
        const size = sizes[reply.sequence - 1];
        if (reply.from !== address || reply.identifier !== identifier || size === undefined) continue;
        answers.set(size, (answers.get(size) ?? 0) + 1);
      }
    }
  };
  try {
    for (const address of new Set(question.nodes.flatMap((node) => node.addresses))) {
      const device = host.devices.get(address);
      const mtu = host.links.find((link) => link.name === device)?.mtu ?? 0;
      if (device === undefined || mtu <= smallBytes) continue;
      try {
        const socket = EchoSocket.open(addressFamily(address)!, { device, isWhole: true });
        asked.push({ address, device, mtu, socket, sizes: sizesUpTo(mtu), answers: new Map() });
      } catch (error) {
        evidence.push(unseenBy("packet-sizes", address, error));
      }
    }
    for (let round = 0; round < rounds && asked.length > 0; round++) {
      for (const { address, socket, sizes } of asked) {
        const header = headerBytes[addressFamily(address)!];
        sizes.forEach((size, index) =>
          socket.send(address, identifier, index + 1, new Uint8Array(size - header))
        );
      }
      const untilMs = (window.ms * (round + 1)) / rounds;
      while (window.passedMs() < untilMs) {
        await window.pause(Math.min(pollIntervalMs, untilMs - window.passedMs()));
        take();
      }
    }
    evidence.push(...asked.map(pieceOf));
  } finally {
    for (const { socket } of asked) socket.close();
  }
  return evidence;
}

/** Powers of two between the small and the full size say about where the limit is. */
function sizesUpTo(mtu: number): number[] {
  const sizes = [smallBytes];
  for (let size = 128; size < mtu; size *= 2) sizes.push(size);
  return [...sizes, mtu];
}

function pieceOf({ address, device, mtu, answers }: Asked): PacketSizes {
  const passed = [...answers.keys()];
  return {
    ...{ kind: "packet-sizes", source: "packet-sizes", subject: address, ageMs: 0, device, mtu },
    questions: rounds,
    smallAnswers: answers.get(smallBytes) ?? 0,
    largeAnswers: answers.get(mtu) ?? 0,
    bytesPassed: passed.length === 0 ? null : Math.max(...passed),
  };
}
