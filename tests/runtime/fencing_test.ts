import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ReportEffect } from "../../lib/core/effects.ts";
import type { NodeView } from "../../lib/core/view.ts";
import { Fencing } from "../../lib/runtime/fencing.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { healthyPair } from "../cli/views.ts";

const agent = fileURLToPath(new URL("../../scripts/lab/fence_lab", import.meta.url));
// Opens the native library before any test, so that no test is blamed for it.
monotonicMs();
const pace = { firstMs: 1, everyMs: 30, againMs: 1, repairMs: 30 };

/** A daemon's fencing on n1, with a device for n1 and n2 that fails as `fault` says. */
class Bench {
  readonly directory = mkdtempSync(join(tmpdir(), "hl-fence-"));
  readonly reports: ReportEffect[] = [];
  readonly fencing: Fencing;
  isAlive = true;

  constructor(fault: string) {
    this.fault = fault;
    const options = { directory: this.directory, password: "tell-nobody", instant: "1" };
    const device = { name: "lab", agent, ports: { n1: null, n2: null }, options, limitMs: 3000 };
    this.fencing = new Fencing({ devices: [device], action: "off", delayMs: {}, retryMs: 1000 }, "n1", {
      report: (report) => this.reports.push(report),
      heardAgoMs: (node) => node === "n2" && this.isAlive ? 1 : 100_000,
      keepaliveMs: 5,
      alarmRepeatMs: 0,
      pace,
    });
    this.fencing.open();
  }

  set fault(fault: string) {
    writeFileSync(join(this.directory, "fault"), fault);
  }

  set state(state: string) {
    writeFileSync(join(this.directory, "n2.state"), state);
  }

  get view(): NodeView {
    return this.fencing.extend(healthyPair());
  }

  async until(is: () => boolean, what: string): Promise<void> {
    const endsAt = performance.now() + 10_000;
    while (!is()) {
      assert.ok(performance.now() < endsAt, `not in time: ${what}; ${JSON.stringify(this.reports)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  said(level: string, code: string): ReportEffect | undefined {
    return this.reports.find((report) => report.level === level && report.code === code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fencing.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

Deno.test("a device that does not answer is an alarm after its second test, over when it answers", async () => {
  await using bench = new Bench("dead");
  await bench.until(() => bench.said("alarm", "fence-device-silent") !== undefined, "alarm");
  const { sentence } = bench.said("alarm", "fence-device-silent")!;
  assert.match(sentence, /lab does not work: .*power of n2: exit 1: Unable to connect.*could not fence n2/);
  assert.ok(!sentence.includes("n1"), "nobody fences himself");
  const [device] = bench.view.fenceDevices ?? [];
  assert.deepEqual([device?.state, device?.power], ["silent", { n2: "unknown" }]);
  assert.deepEqual(bench.view.alarms.map(({ code }) => code), ["fence-device-silent"]);
  bench.fault = "";
  await bench.until(() => bench.said("clear", "fence-device-silent") !== undefined, "clear");
  assert.deepEqual(bench.view.alarms, []);
  assert.deepEqual(bench.view.fenceDevices?.[0]?.state, "answers");
  assert.ok(!JSON.stringify([bench.reports, bench.view]).includes("tell-nobody"));
});

Deno.test("a device that says off of a node that is heard is not used until it fits again", async () => {
  await using bench = new Bench("");
  bench.state = "off";
  await bench.until(() => bench.said("alarm", "fence-device-wrong") !== undefined, "alarm");
  const outcome = await bench.fencing.fence("n2");
  assert.deepEqual([outcome.result, /is not used/.test(outcome.reason)], ["failed", true]);
  bench.isAlive = false;
  await bench.until(() => bench.said("clear", "fence-device-wrong") !== undefined, "clear");
  assert.equal((await bench.fencing.fence("n2")).result, "fenced");
  assert.match(bench.said("info", "fence-step")?.sentence ?? "", /lab: off n2: done, \d+ ms/);
});
