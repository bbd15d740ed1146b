/** What was set on a path is what the probe finds, within the intervals that it states. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Prng } from "../../lib/core/prng.ts";
import type { Estimate } from "../../lib/measure/interval.ts";
import { burstLoss, independentLoss } from "../../lib/measure/loss_model.ts";
import { type PathReport, reportOf } from "../../lib/measure/report.ts";
import { ProbeListener } from "../../lib/probe/listener.ts";
import { Measurement } from "../../lib/probe/measurement.ts";
import { noAuthentication } from "../../lib/probe/questions.ts";
import { UdpProber } from "../../lib/probe/udp.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { probeBytesMin } from "../../lib/wire/probe_message.ts";
import { Relay, type RelayWay } from "./relay.ts";

// Opens the native library before any test, so that no test is blamed for it.
monotonicMs();

const port = 26_942;
const count = 1_200;
const intervalMs = 5;

interface Case {
  readonly name: string;
  readonly there: RelayWay;
  readonly back: RelayWay;
  check(report: PathReport, relay: Relay): void;
}

function holds({ low, high }: Estimate, truth: number, what: string): void {
  assert.ok(low <= truth && truth <= high, `${what}: ${truth} is not from ${low} to ${high}`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

const perfect = (delayMs: number): RelayWay => ({ loss: independentLoss(0, intervalMs), delayMs });

const cases: readonly Case[] = [{
  name: "independent loss of 5 % there and 15 % back, 20 ms of delay",
  there: { loss: independentLoss(0.05, intervalMs), delayMs: 12 },
  back: { loss: independentLoss(0.15, intervalMs), delayMs: 8 },
  check: ({ outward, homeward, delay }, relay) => {
    holds(outward!.loss, 0.05, "loss there");
    holds(homeward!.loss, 0.15, "loss back");
    holds(outward!.burstLength!, 1 / 0.95, "in a row there");
    holds(homeward!.burstLength!, 1 / 0.85, "in a row back");
    assert.equal(outward!.model.kind, "independent");
    const heldMs = median(relay.heldMs.there) + median(relay.heldMs.back);
    assert.ok(delay!.minMs >= 19 && delay!.minMs <= heldMs + 5, `shortest round trip ${delay!.minMs} ms`);
    const { low, high } = delay!.medianMs;
    // Beside the relay there are two processes' worth of event loops.
    assert.ok(
      low <= heldMs + 20 && high >= heldMs,
      `median from ${low} to ${high} ms, held for ${heldMs} ms`,
    );
  },
}, {
  name: "bursts of 6 there, none back",
  there: { loss: burstLoss(0.1, 6, intervalMs), delayMs: 3 },
  back: perfect(3),
  check: ({ outward, homeward }) => {
    holds(outward!.loss, 0.1, "loss there");
    holds(outward!.burstLength!, 6, "in a row there");
    assert.equal(outward!.model.kind, "gilbert");
    assert.ok(homeward!.loss.value < 0.01, `loss back ${homeward!.loss.value}`);
  },
}, {
  name: "bursts of 15 back, with packets twice and out of order",
  there: { ...perfect(2), copyRate: 0.1 },
  back: { loss: burstLoss(0.2, 15, intervalMs), delayMs: 2, swapRate: 0.1, swapMs: 4 * intervalMs },
  check: ({ homeward, far, reordered, copies }) => {
    holds(homeward!.loss, 0.2, "loss back");
    assert.ok(homeward!.burstLength!.high > 4, `in a row back ${homeward!.burstLength!.value}`);
    assert.ok(far!.copies > count * 0.06 && far!.copies < count * 0.15, `${far!.copies} questions twice`);
    assert.ok(copies > count * 0.04, `${copies} answers twice`);
    assert.ok(reordered > count * 0.02, `${reordered} out of order`);
  },
}];

/** All paths at the same time: they wait, they do not compute. */
async function measured(paths: readonly Case[]): Promise<{ reports: PathReport[]; relays: Relay[] }> {
  const listener = new ProbeListener({
    node: "far",
    authentication: noAuthentication,
    addresses: ["127.0.0.1"],
    port,
    serial: [],
  });
  const relays = paths.map(({ there, back }, index) => new Relay(port, there, back, new Prng(4 + index)));
  await listener.open();
  try {
    for (const relay of relays) await relay.open();
    const shared = randomBytes(8);
    const probers = relays.map((relay, path) =>
      new UdpProber(
        { address: "127.0.0.1", port: relay.port, device: null, local: null, group: null, description: null },
        {
          measurement: shared,
          path,
          node: "near",
          to: null,
          bytes: probeBytesMin,
          seal: { format: "netstring", authentication: noAuthentication },
          heardElsewhere: () => {},
        },
      )
    );
    const measurement = new Measurement({ intervalMs, count, forMs: null, patienceMs: 3_000 }, probers);
    await measurement.run();
    return { reports: measurement.states().map(({ outcome }) => reportOf(outcome, null)), relays };
  } finally {
    for (const relay of relays) await relay.close();
    await listener.close();
  }
}

Deno.test("loss, delay and losses in a row of each direction are recovered within their intervals", async (test) => {
  const { reports, relays } = await measured(cases);
  for (const [index, { name, check }] of cases.entries()) {
    await test.step(name, () => check(reports[index]!, relays[index]!));
  }
});
