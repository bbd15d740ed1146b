/** Gathering: sources that hang, throw, or lack a permission never keep the others from being heard. */

import assert from "node:assert/strict";
import { type Evidence, ofKind } from "../../lib/checks/evidence.ts";
import { gather, openWindow } from "../../lib/checks/gather.ts";
import type { CheckQuestion } from "../../lib/checks/question.ts";
import type { GatherEvidence, Source } from "../../lib/checks/sources.ts";
import { gatherServices } from "../../lib/checks/sources/services.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { Errno, SystemError } from "../../lib/system/errno.ts";
import { needsNetRaw } from "../../lib/system/socket.ts";
import { echo, PRIMARY, question } from "./makers.ts";

// Loads the table of libc functions, which stays for the life of the process, outside of any one test.
monotonicMs();

function source(name: Source["name"], gatherer: GatherEvidence, isAsked = true): Source {
  return { name, isAsked: () => isAsked, load: () => Promise.resolve(gatherer) };
}

function run(
  sources: readonly Source[],
  windowMs = 50,
  more: Partial<CheckQuestion> = {},
): Promise<Evidence[]> {
  return gather(question("standby", { windowMs, ...more }), {
    askDaemon: () => Promise.reject(new Error("none")),
    sources,
  });
}

Deno.test("a source that hangs is left behind and told, the others are heard", async () => {
  let release = () => {};
  const hanging = new Promise<Evidence[]>((resolve) => release = () => resolve([]));
  const startedMs = performance.now();
  const evidence = await run([source("services", () => hanging), source("echo", () => [echo(PRIMARY, 3)])]);
  assert.ok(performance.now() - startedMs < 5000);
  assert.equal(ofKind(evidence, "echo").length, 1);
  const [unseen] = ofKind(evidence, "unseen");
  assert.equal(unseen!.source, "services");
  assert.match(unseen!.reason, /did not come back within 800 ms/);
  release();
});

Deno.test("where this machine's own tools are given more time than the window, they have it", async () => {
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    return [echo(PRIMARY, 3)];
  };
  const patient = { ...question("standby", { windowMs: 0 }), localMs: 30_000 };
  const seams = { askDaemon: () => Promise.reject(new Error("none")), sources: [source("firewall", slow)] };
  assert.equal(ofKind(await gather(patient, seams), "echo").length, 1);
});

Deno.test("a source that throws is told as unseen, with the capability that is missing", async () => {
  const refused = () => {
    throw new SystemError("open an ARP socket", "socket", Errno.EPERM, needsNetRaw);
  };
  const broken = () => Promise.reject(new Error("out of order"));
  const evidence = await run([source("neighbours", refused), source("daemon", broken)]);
  assert.deepEqual(
    ofKind(evidence, "unseen").map(({ source, capability }) => [source, capability]),
    [["neighbours", "CAP_NET_RAW"], ["daemon", null]],
  );
});

Deno.test("without a window nothing but this machine is asked", async () => {
  const evidence = await run([source("echo", () => assert.fail("asked"), false)], 0);
  assert.deepEqual([...new Set(evidence.map((piece) => piece.kind))].sort(), ["interface", "own-address"]);
});

Deno.test("a pause ends with the window or with the signal, whichever is first", async () => {
  const window = openWindow(60);
  const startedMs = performance.now();
  await window.pause(60_000);
  assert.ok(performance.now() - startedMs < 10_000);
  const ending = new AbortController();
  const pause = openWindow(60_000).pause(60_000, ending.signal);
  ending.abort();
  await pause;
});

Deno.test("of a name in a service's URL it is told what it stands for: that decides whose answer it is", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response());
  const http = (host: string) =>
    ({ kind: "http", url: `http://${host}:${server.addr.port}/`, statusMin: 200, statusMax: 399 }) as const;
  const services = [http("localhost"), http("127.0.0.1")];
  try {
    const evidence = await run(
      [
        source("services", gatherServices),
      ],
      1000,
      { services },
    );
    const [named, plain] = ofKind(evidence, "service");
    assert.equal(named!.address, null);
    assert.ok(named!.resolved.includes("127.0.0.1"), named!.resolved.join());
    assert.deepEqual([plain!.address, plain!.resolved], ["127.0.0.1", []]);
  } finally {
    await server.shutdown();
  }
});
