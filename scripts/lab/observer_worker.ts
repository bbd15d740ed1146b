/**
 * The thread that looks: at who holds an address, or whether it answers to a client. It does nothing else, so that
 * the pace does not suffer from what the laboratory does meanwhile, and goes before other threads, so that it hardly
 * suffers from the machine either. Ends when it is told through the shared memory.
 */

import { Buffer } from "node:buffer";
import { setPriority } from "node:os";
import { monotonicMs } from "../../lib/system/clock.ts";
import { EchoSocket } from "../../lib/system/icmp.ts";
import { inNetworkNamespace } from "../../lib/system/namespaces.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { Observation, type ObservationTask } from "./observation.ts";

/**
 * Niceness. Not a real-time priority: two such threads that spin while they wait for an ordinary one of the same
 * runtime hold up everything on two cores for 0.95 s, daemons under test too (`ProcessRealtime`).
 */
const NICENESS = -18;
/** For `setPriority`: on Linux niceness is a thread's own. */
const CALLING_THREAD = 0;
/** Replies are looked for this often: the error of an outage's end. */
const POLL_MS = 1;

globalThis.addEventListener("message", (event) => {
  const { data } = event as MessageEvent<ObservationTask>;
  const observation = new Observation(data.memory);
  try {
    setPriority(CALLING_THREAD, NICENESS);
  } catch {
    // Without the right to it the longest gap between two looks tells what was missed.
  }
  try {
    if (data.kind === "holders") watchHolders(data, observation);
    else ping(data, observation);
  } finally {
    observation.finish();
  }
  self.close();
}, { once: true });

/** Writes the instant and the set of holders whenever the set changes. */
function watchHolders(task: ObservationTask & { kind: "holders" }, observation: Observation): void {
  const family = task.address.includes(":") ? 6 : 4;
  const readers = task.namespaces.map((path) => inNetworkNamespace(path, () => Netlink.open()));
  let last = -1;
  let nextMs = monotonicMs();
  while (observation.mayGoOn) {
    const holders = holdersSeen(
      readers,
      (netlink) => netlink.addresses(family).some(({ address }) => address === task.address),
    );
    const atMs = monotonicMs();
    if (holders !== last) observation.push(atMs, holders);
    last = holders;
    observation.looked(atMs);
    nextMs = Math.max(nextMs + task.intervalMs, atMs);
    observation.sleep(nextMs - monotonicMs());
  }
  for (const netlink of readers) netlink.close();
}

/**
 * The set of those that have the address, as bits. One after the other is looked at, and a machine that holds this
 * thread up in between would make two of an address that moved meanwhile: of several, all must still have it when
 * the last one has been seen to.
 */
function holdersSeen(readers: readonly Netlink[], has: (reader: Netlink) => boolean): number {
  let holders = 0;
  readers.forEach((reader, index) => {
    if (has(reader)) holders |= 1 << index;
  });
  if ((holders & (holders - 1)) === 0) return holders;
  readers.forEach((reader, index) => {
    if ((holders & (1 << index)) !== 0 && !has(reader)) holders &= ~(1 << index);
  });
  return holders;
}

/** Writes the instant of each reply. */
function ping(task: ObservationTask & { kind: "ping" }, observation: Observation): void {
  const family = task.address.includes(":") ? 6 : 4;
  const socket = inNetworkNamespace(task.namespace, () => EchoSocket.open(family));
  const identifier = 1 + Math.floor(Math.random() * 0xfffe);
  let nextMs = monotonicMs();
  while (observation.mayGoOn) {
    if (monotonicMs() >= nextMs) {
      socket.send(task.address, identifier, observation.sent & 0xffff, Buffer.alloc(8));
      observation.countSent();
      nextMs = Math.max(nextMs + task.intervalMs, monotonicMs());
    }
    const replies = socket.poll();
    const atMs = monotonicMs();
    for (const reply of replies) {
      if (reply.identifier === identifier && reply.from === task.address) observation.push(atMs);
    }
    observation.looked(atMs);
    observation.sleep(Math.min(POLL_MS, nextMs - monotonicMs()));
  }
  socket.close();
}
