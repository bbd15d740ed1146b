import assert from "node:assert/strict";
import {
  AGAIN_PAUSE_MS,
  Announcer,
  type AnnouncerOptions,
  LISTEN_PAUSE_MS,
} from "../../lib/resources/announcer.ts";
import type { NeighbourClaim } from "../../lib/system/neighbour.ts";

const address = "10.9.0.100";
const rival = "02:00:00:00:00:99";

/** Virtual time, and neighbours that write down what they are told. */
class Scene {
  nowMs = 0;
  isHeld = true;
  random = 0.5;
  readonly said: string[] = [];
  readonly claims: string[] = [];
  readonly failures: string[] = [];
  heard: NeighbourClaim[] = [];
  error: Error | null = null;
  isClosed = false;
  readonly #timers = new Map<number, { atMs: number; run: () => void }>();
  #timer = 0;
  readonly announcer: Announcer;

  constructor(options: Partial<AnnouncerOptions> = {}) {
    const neighbours = {
      announce: (_: string, form: "request" | "reply") => {
        if (this.error !== null) throw this.error;
        this.said.push(`${this.nowMs} ${form}`);
      },
      poll: () => this.heard.splice(0),
      listenFor: () => {},
      close: () => void (this.isClosed = true),
    };
    this.announcer = new Announcer(neighbours, {
      address,
      refreshMs: 60_000,
      isHeld: () => this.isHeld,
      claimed: (_, hardware) => this.claims.push(`${this.nowMs} ${hardware}`),
      failed: (reason) => this.failures.push(reason),
      ...options,
    }, {
      now: () => this.nowMs,
      setTimer: (run, delayMs) => {
        this.#timers.set(++this.#timer, { atMs: this.nowMs + delayMs, run });
        return this.#timer;
      },
      clearTimer: (timer) => void this.#timers.delete(timer as number),
      random: () => this.random,
    });
  }

  get timers(): number {
    return this.#timers.size;
  }

  advanceTo(endMs: number): void {
    while (true) {
      const [next] = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs);
      if (next === undefined || next[1].atMs > endMs) break;
      this.#timers.delete(next[0]);
      this.nowMs = Math.max(this.nowMs, next[1].atMs);
      next[1].run();
    }
    this.nowMs = endMs;
  }

  claim(more: Partial<NeighbourClaim> = {}): void {
    this.heard.push({
      address,
      hardware: rival,
      kind: "reply",
      target: address,
      isGratuitous: true,
      ...more,
    });
  }
}

const both = (...instantsMs: number[]) => instantsMs.flatMap((ms) => [`${ms} request`, `${ms} reply`]);

Deno.test("after a start a request and a reply go out at once and at 0.1, 0.3, 1 and 3 s", () => {
  const scene = new Scene({ refreshMs: 0 });
  scene.announcer.start();
  assert.deepEqual(scene.said, both(0));
  scene.advanceTo(100_000);
  assert.deepEqual(scene.said, both(0, 100, 300, 1000, 3000));
});

Deno.test("IPv6 has one form", () => {
  const scene = new Scene({ refreshMs: 0, address: "fd09::100" });
  scene.announcer.start();
  assert.deepEqual(scene.said, ["0 reply"]);
});

Deno.test("then it is refreshed at the mean interval, a quarter earlier or later", () => {
  for (const [random, afterMs] of [[0, 45_000], [0.5, 60_000], [1, 75_000]] as const) {
    const scene = new Scene();
    scene.random = random;
    scene.announcer.start();
    scene.advanceTo(3000);
    scene.said.length = 0;
    scene.advanceTo(3000 + 3 * afterMs);
    assert.deepEqual(scene.said, both(3000 + afterMs, 3000 + 2 * afterMs, 3000 + 3 * afterMs));
  }
});

Deno.test("an address that is not held is never announced", () => {
  const scene = new Scene();
  scene.announcer.start();
  scene.isHeld = false;
  scene.said.length = 0;
  scene.claim();
  scene.announcer.again();
  scene.advanceTo(200_000);
  assert.deepEqual(scene.said, []);
  assert.deepEqual(scene.claims, []);
});

Deno.test("an address that goes between request and reply is not announced further", () => {
  let looks = 0;
  const scene = new Scene({ isHeld: () => ++looks === 1 });
  scene.announcer.start();
  assert.deepEqual(scene.said, ["0 request"]);
});

Deno.test("a foreign claim is answered at once and told", () => {
  const scene = new Scene();
  scene.announcer.start();
  scene.advanceTo(10_000);
  scene.said.length = 0;
  scene.claim();
  scene.advanceTo(10_000 + LISTEN_PAUSE_MS);
  assert.deepEqual(scene.said, both(10_000 + LISTEN_PAUSE_MS));
  assert.deepEqual(scene.claims, [`${10_000 + LISTEN_PAUSE_MS} ${rival}`]);
});

Deno.test("answers to many claims keep their distance, and the last claim is answered too", () => {
  const scene = new Scene({ refreshMs: 0 });
  scene.announcer.start();
  scene.advanceTo(10_000);
  scene.said.length = 0;
  for (let ms = 10_000; ms < 12_500; ms += 50) {
    scene.claim();
    scene.advanceTo(ms);
  }
  scene.advanceTo(20_000);
  const instants = scene.said.filter((line) => line.endsWith("request")).map((line) =>
    Number(line.split(" ")[0])
  );
  assert.equal(instants.length, 4);
  instants.slice(1).forEach((ms, i) => assert.ok(ms - instants[i]! >= AGAIN_PAUSE_MS));
  assert.ok(instants.at(-1)! >= 12_450);
});

Deno.test("probes, other addresses and ignored hardware are no claims", () => {
  const scene = new Scene({ ignore: ["02:AA:00:00:00:01"] });
  scene.announcer.start();
  scene.claim({ kind: "probe" });
  scene.claim({ address: "10.9.0.7" });
  scene.claim({ hardware: "02:aa:00:00:00:01" });
  scene.advanceTo(1000);
  assert.deepEqual(scene.claims, []);
});

Deno.test("what stops is silent, what closes lets go of its socket", () => {
  const scene = new Scene();
  scene.announcer.start();
  scene.announcer.stop();
  assert.equal(scene.timers, 0);
  scene.announcer.start();
  assert.deepEqual(scene.said, both(0, 0));
  scene.announcer.close();
  assert.equal(scene.timers, 0);
  assert.equal(scene.isClosed, true);
});

Deno.test("a packet that cannot be sent is told once until it works again", () => {
  const scene = new Scene({ refreshMs: 1000 });
  scene.error = new Error("network is down");
  scene.announcer.start();
  scene.advanceTo(10_000);
  assert.deepEqual(scene.failures, ["network is down"]);
  scene.error = null;
  scene.advanceTo(15_000);
  scene.error = new Error("network is down");
  scene.advanceTo(20_000);
  assert.equal(scene.failures.length, 2);
});
