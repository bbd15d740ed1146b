/**
 * Everything in `lib/system` that talks to the kernel, once: run by a test in each runtime, because the same table of
 * libc functions is bound by two different engines. Prints one JSON object. Needs root, and a namespace of its own.
 */

import { execFileSync } from "node:child_process";
import { PingArbiter } from "../../lib/arbiters/ping.ts";
import { askWire } from "../../lib/system/ask_wire.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { SystemError } from "../../lib/system/errno.ts";
import { EchoSocket } from "../../lib/system/icmp.ts";
import { libc } from "../../lib/system/libc.ts";
import { acquireLock } from "../../lib/system/lock_file.ts";
import { NeighbourSocket } from "../../lib/system/neighbour.ts";
import { AddressMonitor, Netlink } from "../../lib/system/netlink.ts";
import { inNetworkNamespace, networkNamespacePath } from "../../lib/system/namespaces.ts";
import { lockMemory, ProcessRealtime, protectFromOom } from "../../lib/system/privileges.ts";
import { notifySystemd } from "../../lib/system/sd_notify.ts";
import { until } from "./network.ts";

const [peer, lockPath] = process.argv.slice(-2) as [string, string];
const results: Record<string, unknown> = {};

const started = monotonicMs();
await until("the clock goes on", () => monotonicMs() > started + 5);
results["clockMs"] = started > 0 && monotonicMs() - started < 5000;

const netlink = Netlink.open();
const monitor = AddressMonitor.open();
const link = netlink.link("e0")!;
netlink.setAddress({ index: link.index, address: "10.9.0.2", prefix: 24, validSeconds: 60 });
results["address"] = netlink.addresses(4).some((own) => own.address === "10.9.0.2");
results["monitor"] = monitor.poll().map((event) => event.kind);
results["device"] = netlink.deviceForAddress("10.9.0.77");
try {
  netlink.setAddress({ index: 9999, address: "10.9.0.2", prefix: 24, validSeconds: 60 });
} catch (error) {
  results["refusal"] = error instanceof SystemError && error.errno;
}

for (const address of ["10.9.0.3", "fd09::3", "10.9.0.77", "fd09::77"]) {
  const verdict = await askWire({ addresses: [{ address, device: "e0" }], windowMs: 100 });
  results[address] = verdict.kind;
}
const socket = NeighbourSocket.open(link, 4);
socket.announce("10.9.0.2", "request");
results["own packets heard"] = socket.poll().length;
socket.close();

const echo = EchoSocket.open(4);
results["echo sent"] = echo.send("10.9.0.3", 1, 2, new Uint8Array(8));
await until("an echo reply", () => echo.poll().some((reply) => reply.from === "10.9.0.3"));
echo.close();

const arbiter = new PingArbiter({
  name: "p",
  targets: ["10.9.0.3", "fd09::3"],
});
const answers = new Set<string>();
netlink.setAddress({ index: link.index, address: "fd09::2", prefix: 64, validSeconds: 60 });
await arbiter.open(20, (target) => answers.add(target));
await until("both targets answer", () => answers.size === 2);
await arbiter.close();

results["other namespace"] = inNetworkNamespace(networkNamespacePath(peer), () => {
  const there = Netlink.open();
  const isThere = there.addresses().some((own) => own.address === "10.9.0.3");
  there.close();
  return isThere;
});

const lock = acquireLock(lockPath);
const second = acquireLock(lockPath);
results["lock"] = [lock.kind, second.kind, second.kind === "held" && second.pid === process.pid];
if (lock.kind === "acquired") lock.release();

results["notify"] = notifySystemd("READY=1");
results["realtime"] = new ProcessRealtime(5).raise().granted;
const sched = { roundRobin: 2, resetOnFork: 0x40000000 };
results["scheduler"] = libc().sched_getscheduler(0) === sched.roundRobin + sched.resetOnFork;
results["child scheduler"] = execFileSync("chrt", ["-p", "0"], { encoding: "utf8" }).includes("SCHED_OTHER");
results["memory"] = lockMemory().granted;
results["oom reason"] = protectFromOom().reason.length > 0;
// Garbage is made and collected with locked memory: an engine that cannot bear it ends here.
let kept: unknown[] = [];
for (let round = 0; round < 40; round++) {
  for (let count = 0; count < 20_000; count++) kept.push({ count, list: [count], text: `x${count}` });
  if (round % 10 === 9) kept = [];
  await new Promise((resolve) => setTimeout(resolve, 1));
}
netlink.close();
monitor.close();
console.log(JSON.stringify(results));
// Not left to end by itself: Deno 2.9.6, without any native call of ours, now and then dies of SIGSEGV when a program
// ends while V8 still optimizes its last loop in the background.
process.exit(0);
