/**
 * Asks every own address of the other nodes by ICMP echo, and the checked addresses unless they are here, again and
 * again until each has answered or the window closes. It may be all that an ordinary user can ask.
 */

import { randomBytes } from "node:crypto";
import { EchoSocket } from "../../system/icmp.ts";
import { isSameBytes } from "../../system/packets/ip_address.ts";
import { addressFamily, type Family } from "../../system/packets/ip_address.ts";
import type { EchoAnswers, Evidence } from "../evidence.ts";
import { unseenBy } from "../gather.ts";
import { ownAddress } from "../host.ts";
import type { Look } from "../sources.ts";

/** As for ARP: absence of an answer must not be a matter of luck. */
const requestsMax = 16;
/** One answer proves life; a few show how lossy the path is. */
const repliesEnough = 3;
const pollIntervalMs = 2;

interface Asked {
  readonly address: string;
  readonly socket: EchoSocket;
  readonly sentAtMs: number[];
  received: number;
  roundTripMs: number | null;
}

export async function gatherEchoes({ question, host, window }: Look): Promise<Evidence[]> {
  const sockets = new Map<Family, EchoSocket>();
  const evidence: Evidence[] = [];
  const asked: Asked[] = [];
  const identifier = randomBytes(2).readUInt16BE();
  const token = randomBytes(8); // tells our own questions from those of other programs
  try {
    const absent = question.vips.filter((vip) => ownAddress(host, vip) === null).map((vip) => vip.address);
    for (const address of new Set([...question.nodes.flatMap((node) => node.addresses), ...absent])) {
      const family = addressFamily(address)!;
      try {
        const socket = sockets.get(family) ?? EchoSocket.open(family);
        sockets.set(family, socket);
        asked.push({ address, socket, sentAtMs: [], received: 0, roundTripMs: null });
      } catch (error) {
        evidence.push(unseenBy("echo", address, error));
      }
    }
    const spacingMs = (window.ms * 0.8) / requestsMax;
    const take = () => {
      for (const socket of sockets.values()) {
        for (const reply of socket.poll()) {
          const one = asked.find((candidate) => candidate.address === reply.from);
          const sentAtMs = one?.sentAtMs[reply.sequence - 1];
          if (one === undefined || sentAtMs === undefined || !isSameBytes(reply.payload, token)) continue;
          const tookMs = window.passedMs() - sentAtMs;
          one.received++;
          one.roundTripMs = Math.min(one.roundTripMs ?? Infinity, tookMs);
        }
      }
    };
    const isDone = () => asked.every((one) => one.received >= repliesEnough);
    while (window.passedMs() < window.ms && !isDone()) {
      for (const one of asked) {
        const count = one.sentAtMs.length;
        const isDue = count < requestsMax && window.passedMs() >= count * spacingMs;
        if (!isDue || one.received >= repliesEnough) continue;
        one.sentAtMs.push(window.passedMs());
        one.socket.send(one.address, identifier, count + 1, token);
      }
      take();
      await window.pause(pollIntervalMs);
    }
    take();
    evidence.push(...asked.map(answersOf));
  } finally {
    for (const socket of sockets.values()) socket.close();
  }
  return evidence;
}

function answersOf({ address, sentAtMs, received, roundTripMs }: Asked): EchoAnswers {
  return {
    kind: "echo",
    source: "echo",
    subject: address,
    ageMs: 0,
    sent: sentAtMs.length,
    received: Math.min(received, sentAtMs.length),
    roundTripMs,
  };
}
