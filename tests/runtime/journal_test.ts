import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { journalFormat } from "../../lib/core/journal/format.ts";
import { Journal } from "../../lib/runtime/journal.ts";
import { runsOf } from "../../lib/sim/replay/journal.ts";
import { settings } from "../core/samples.ts";
import { until } from "../system/network.ts";

const head = {
  journal: journalFormat,
  version: "1",
  identity: { node: "n1", generation: 1, version: "1", settingsHash: "", keptEpochs: {}, unprotected: [] },
  seed: 1,
  settings: settings(),
};

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "hljournal-"));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function read(file: string) {
  return runsOf(readFileSync(file, "utf8").split("\n"));
}

const groups = () => [{ group: "web", isHeld: true, epoch: 3 }];
const unexpected = (reason: string) => assert.fail(reason);

Deno.test("every step of a run is in the file, a second run follows the first, and only root may read", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "below", "journal");
    for (const generation of [1, 2]) {
      const identity = { ...head.identity, generation };
      const journal = new Journal({ file, bytesMax: 1e6, groups, failed: unexpected }, { ...head, identity });
      journal.begin(100);
      for (let now = 100; now < 150; now++) journal.step(now, { kind: "wake" }, []);
      await journal.close();
    }
    assert.deepEqual(
      read(file).map(({ steps, gap, header }) => [header.identity.generation, steps.length, gap]),
      [[1, 50, ""], [2, 50, ""]],
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
  }));

Deno.test("a run that was cut off in a line does not swallow the next one", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "journal");
    const play = async (generation: number) => {
      const identity = { ...head.identity, generation };
      const journal = new Journal({ file, bytesMax: 1e6, groups, failed: unexpected }, { ...head, identity });
      journal.begin(100);
      for (let now = 100; now < 110; now++) journal.step(now, { kind: "wake" }, []);
      await journal.close();
    };
    await play(1);
    writeFileSync(file, readFileSync(file, "utf8").slice(0, -2));
    await play(2);
    assert.deepEqual(
      read(file).map(({ steps, gap, header }) => [header.identity.generation, steps.length, gap !== ""]),
      [[1, 9, true], [2, 10, false]],
    );
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    assert.equal(lines.filter((line) => line.startsWith(`{"journal":`)).length, 2, "each at a line's begin");
    assert.ok(!lines.includes(""), "no empty line where none is needed");
  }));

Deno.test("a full file takes the former one's place, no step is lost, and both keep within the size", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "journal");
    const bytesMax = 60_000;
    const journal = new Journal({ file, bytesMax, groups, failed: unexpected }, head);
    journal.begin(0);
    const input = { kind: "carrier", group: "web", device: "eth0", isUp: true } as const;
    let written = 0;
    const rotations = () => Number(/"part":(\d+)/.exec(readFileSync(file, "utf8"))?.[1] ?? 0);
    while (written < 3_000) {
      for (let index = 0; index < 50; index++) journal.step(written++, input, []);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until("the last rotation has ended", () => rotations() >= 3);
    await journal.close();
    const whole = [`${file}.1`, file].map((path) => readFileSync(path, "utf8"));
    assert.ok(
      whole.every((text) => text.length < bytesMax / 2 + 10_000),
      whole.map(({ length }) => length).join(),
    );
    const [run, ...others] = runsOf(whole.join("").split("\n"));
    assert.deepEqual(others, []);
    assert.equal(run!.gap, "");
    assert.equal(run!.isHeadless, true, "the beginning was rotated away");
    assert.deepEqual(run!.header.resume, { media: [], groups: groups() });
    assert.equal(run!.steps.at(-1)!.now, 2_999);
    assert.ok(
      run!.steps.every(({ now }, index) => now === run!.steps[0]!.now + index),
      "one after the other",
    );
  }));

Deno.test("what the disk does not take in time is counted, said, and holds nobody up", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "journal");
    const journal = new Journal({ file, bytesMax: 1e9, groups, failed: unexpected }, head);
    journal.begin(0);
    // Nothing is written while this thread does not yield: to the writer that is a disk that hangs.
    const startedMs = performance.now();
    for (let now = 0; now < 5_000; now++) journal.step(now, { kind: "wake" }, []);
    assert.ok(performance.now() - startedMs < 1_000, "a step waited");
    await new Promise((resolve) => setTimeout(resolve, 100));
    journal.step(5_000, { kind: "wake" }, []);
    await journal.close();
    const text = readFileSync(file, "utf8");
    const lost = Number(/\{"lost":(\d+),"now":5000\}/.exec(text)?.[1]);
    const kept = text.trimEnd().split("\n").length - 3;
    assert.equal(lost + kept, 5_000);
    assert.match(read(file)[0]!.gap, /steps were not written in time/);
  }));

Deno.test("a journal that cannot be rotated ends with its reason, and the daemon goes on", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "journal");
    writeFileSync(file, "");
    const reasons: string[] = [];
    const journal = new Journal(
      { file, bytesMax: 2_000, groups, failed: (reason) => reasons.push(reason) },
      head,
    );
    journal.begin(0);
    rmSync(file);
    for (let now = 0; now < 500; now++) journal.step(now, { kind: "wake" }, []);
    await until("the failure is reported", () => reasons.length > 0);
    for (let now = 500; now < 600; now++) journal.step(now, { kind: "wake" }, []);
    await journal.close();
    assert.match(reasons.join(), /ENOENT/);
    assert.equal(reasons.length, 1);
  }));
