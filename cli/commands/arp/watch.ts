/**
 * `heartline arp watch`: one line for each claim that is heard. It remembers the last holder of each address, to mark
 * a claim that contradicts it; it judges no further.
 */

import type { NeighbourClaim } from "../../../lib/system/neighbour.ts";
import type { WatchRequest } from "./options.ts";
import { findPlace, openSockets, pause, untilInterrupted } from "./place.ts";

/** Short enough that lines seem to come at once; long enough to cost nothing. */
const pollIntervalMs = 20;

/** Addresses to remember: a scan of a large network must not fill the memory. */
const rememberedMax = 65536;

/** Answers the exit code. */
export async function watch(request: WatchRequest): Promise<number> {
  const { vip } = request;
  const { link } = findPlace(request.device, vip?.text ?? null);
  const { signal, stopListening } = untilInterrupted();
  const sockets = openSockets(link, vip === null ? [4, 6] : [vip.family]);
  const endAt = request.forMs === null ? Infinity : performance.now() + request.forMs;
  const print = request.isJson ? printJson : await textPrinter();
  const holders = new Map<string, string>();
  try {
    if (vip !== null) sockets[0]!.listenFor(vip.text);
    if (!request.isJson) {
      console.error(`Listening on ${link.name}${vip === null ? "" : ` for ${vip.text}`}; Ctrl-C ends it`);
    }
    do {
      for (const claim of sockets.flatMap((socket) => socket.poll())) {
        if (vip !== null && claim.address !== vip.text) continue;
        print(link.name, claim, rememberHolder(holders, claim));
      }
    } while (
      performance.now() < endAt &&
      await pause(Math.max(0, Math.min(pollIntervalMs, endAt - performance.now())), signal)
    );
  } finally {
    for (const socket of sockets) socket.close();
    stopListening();
  }
  return 0;
}

/** The hardware address that claimed the same before, if it was another one. */
function rememberHolder(holders: Map<string, string>, claim: NeighbourClaim): string | null {
  if (claim.kind === "probe") return null; // wants the address, does not have it
  const before = holders.get(claim.address) ?? null;
  if (before === null && holders.size >= rememberedMax) holders.clear();
  holders.set(claim.address, claim.hardware);
  return before === claim.hardware ? null : before;
}

function printJson(device: string, claim: NeighbourClaim, before: string | null): void {
  console.log(JSON.stringify({ schema: 1, at: new Date().toISOString(), device, ...claim, before }));
}

async function textPrinter(): Promise<typeof printJson> {
  const { Chalk } = await import("chalk");
  const hasColour = process.stdout.isTTY === true && !process.env["NO_COLOR"];
  const chalk = new Chalk({ level: hasColour ? 1 : 0 });
  return (_device, claim, before) => {
    const now = new Date();
    const at = `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, "0")}`;
    const mark = before === null ? "" : `  ${chalk.bold.red("CHANGED")} from ${before}`;
    console.log(`${chalk.dim(at)}  ${sentence(claim)}${mark}`);
  };
}

function sentence(claim: NeighbourClaim): string {
  const { address, hardware, kind, target, isGratuitous } = claim;
  if (kind === "probe") return `${hardware} asks whether ${address} is free (probe)`;
  const how = isGratuitous ? `${kind}, to all` : target === address ? kind : `${kind} about ${target}`;
  return `${address} is at ${hardware} (${how})`;
}
