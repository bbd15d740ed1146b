/**
 * `heartline arp probe`: who answers for an address. Asks several times, because any packet can be lost, and listens
 * for the whole time, because a second holder is what it is there to find.
 */

import { hardwareText } from "../../../lib/system/packets/ip_address.ts";
import type { NeighbourClaim } from "../../../lib/system/neighbour.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import type { ProbeRequest } from "./options.ts";
import { findPlace, openSockets, pause, type Place, untilInterrupted } from "./place.ts";

interface Holder {
  readonly hardware: string;
  readonly isThisMachine: boolean;
  /** How often it answered; `null` for this machine, which does not answer itself. */
  answers: number | null;
  /** Of the first answer, since the first question. */
  readonly afterMs: number | null;
}

interface Finding {
  readonly holders: readonly Holder[];
  /** Others that ask for the address at the same time, to take it. */
  readonly alsoProbing: readonly string[];
}

const questions = 3;
const pollIntervalMs = 1;

/** Answers the exit code. */
export async function probe(request: ProbeRequest): Promise<number> {
  const place = findPlace(request.device, request.vip.text);
  const { signal, stopListening } = untilInterrupted();
  try {
    const finding = await gather(request, place, signal);
    report(request, place, finding);
    return finding.holders.length === 1 ? 0 : 1;
  } finally {
    stopListening();
  }
}

async function gather(request: ProbeRequest, place: Place, signal: AbortSignal): Promise<Finding> {
  const address = request.vip.text;
  const holders = new Map<string, Holder>();
  const alsoProbing = new Set<string>();
  const own = place.ownAddresses.find((info) => info.address === address);
  if (own !== undefined) {
    const hardware = hardwareText(place.link.hardware);
    holders.set(hardware, { hardware, isThisMachine: true, answers: null, afterMs: null });
  }
  const [socket] = openSockets(place.link, [request.vip.family]);
  try {
    socket!.poll();
    const start = monotonicMs();
    const take = (claim: NeighbourClaim) => {
      if (claim.address !== address) return;
      if (claim.kind === "probe") {
        alsoProbing.add(claim.hardware);
        return;
      }
      const known = holders.get(claim.hardware);
      if (known === undefined) {
        const afterMs = Math.round((monotonicMs() - start) * 10) / 10;
        holders.set(claim.hardware, { hardware: claim.hardware, isThisMachine: false, answers: 1, afterMs });
      } else if (known.answers !== null) {
        known.answers++;
      }
    };
    let asked = 0;
    for (let passed = 0; passed < request.timeoutMs; passed = monotonicMs() - start) {
      if (passed >= (asked * request.timeoutMs) / questions && asked < questions) {
        socket!.ask(address);
        asked++;
      }
      socket!.poll().forEach(take);
      if (!await pause(pollIntervalMs, signal)) break;
    }
    socket!.poll().forEach(take);
  } finally {
    socket!.close();
  }
  return { holders: [...holders.values()], alsoProbing: [...alsoProbing] };
}

function report(request: ProbeRequest, { link }: Place, { holders, alsoProbing }: Finding): void {
  const address = request.vip.text;
  const verdict = holders.length === 0 ? "none" : holders.length === 1 ? "one" : "several";
  if (request.isJson) {
    console.log(JSON.stringify({ schema: 1, address, device: link.name, verdict, holders, alsoProbing }));
    return;
  }
  const where = `on ${link.name} within ${request.timeoutMs} ms`;
  const sentence = {
    none: `Nobody answers for ${address} ${where}: it is free, or its holder is not on this network`,
    one: `One holder of ${address} ${where}`,
    several: `CONFLICT: ${holders.length} hardware addresses answer for ${address} ${where}; ` +
      `two machines hold it, unless one is a router with proxy ARP`,
  }[verdict];
  console.log(sentence);
  for (const holder of holders) {
    const detail = holder.isThisMachine
      ? "this machine"
      : `${holder.answers} ${holder.answers === 1 ? "answer" : "answers"}, first after ${holder.afterMs} ms`;
    console.log(`  ${holder.hardware}  ${detail}`);
  }
  for (const hardware of alsoProbing) console.log(`  ${hardware}  asks for it too, as if to take it`);
}
