/** Reports to a descriptor, to a log file, to journald and into the history. */

import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReportEffect } from "../../lib/core/effects.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { LineWriter } from "../../lib/runtime/line_writer.ts";
import { printable, renderJournalReport, renderReport } from "../../lib/runtime/report_line.ts";
import { historyReportsMax, openReports } from "../../lib/runtime/reports.ts";

const now = () => new Date("2026-01-31T12:00:00.000Z");

function report(sentence: string, level: ReportEffect["level"] = "info"): ReportEffect {
  return { kind: "report", level, code: "link-lost", sentence, fields: { left: 1 } };
}

async function inDirectory(
  body: (directory: string, descriptor: number, screen: () => string) => Promise<void>,
) {
  const directory = mkdtempSync(join(tmpdir(), "heartline-reports-"));
  const path = join(directory, "screen");
  const descriptor = openSync(path, "a");
  try {
    await body(directory, descriptor, () => readFileSync(path, "utf8"));
  } finally {
    closeSync(descriptor);
    rmSync(directory, { recursive: true, force: true });
  }
}

Deno.test("a report is one line with time, level, code and sentence, on screen and in the log file", async () => {
  await inDirectory(async (directory, descriptor, screen) => {
    const logFile = join(directory, "heartline.log");
    const reports = openReports({ logFile, descriptor, environment: {}, now });
    reports.write(report("links: 1 of 2 left to beta", "alarm"));
    reports.write(report("two\nlines\u001b[31m in red\u001b[0m"));
    await reports.close();
    const expected = "2026-01-31T12:00:00.000Z alarm link-lost: links: 1 of 2 left to beta\n" +
      "2026-01-31T12:00:00.000Z info link-lost: two lines in red\n";
    assert.equal(screen(), expected);
    assert.equal(readFileSync(logFile, "utf8"), expected);
    assert.equal(statSync(logFile).mode & 0o777 & ~0o640, 0);
  });
});

Deno.test("journald gets priorities instead of times, and only where it is the one that reads", async () => {
  await inDirectory(async (_, descriptor, screen) => {
    const { dev, ino } = fstatSync(descriptor);
    const journal = openReports({
      logFile: null,
      descriptor,
      environment: { JOURNAL_STREAM: `${dev}:${ino}` },
      now,
    });
    for (const level of ["alarm", "warning", "notice", "clear", "info"] as const) {
      journal.write(report("x", level));
    }
    await journal.close();
    assert.deepEqual(screen().split("\n").map((line) => line.slice(0, 3)), [
      "<2>",
      "<4>",
      "<5>",
      "<5>",
      "<6>",
      "",
    ]);
    const other = openReports({
      logFile: null,
      descriptor,
      environment: { JOURNAL_STREAM: `${dev}:${ino + 1}` },
      now,
    });
    other.write(report("y"));
    await other.close();
    assert.match(screen(), /\n2026-01-31T12:00:00.000Z info link-lost: y\n$/);
  });
});

Deno.test("the history keeps the last reports, oldest first, with their fields", async () => {
  await inDirectory(async (_, descriptor) => {
    const reports = openReports({ logFile: null, descriptor, environment: {}, now });
    for (let number = 0; number < historyReportsMax + 5; number++) reports.write(report(`report ${number}`));
    assert.equal(reports.history().length, historyReportsMax);
    assert.equal(reports.history()[0]?.sentence, "report 5");
    assert.deepEqual(reports.history().at(-1)?.fields, { left: 1 });
    await reports.close();
  });
});

Deno.test("a log file that was rotated away is opened again, and none of its lines is lost", async () => {
  await inDirectory(async (directory, descriptor) => {
    const logFile = join(directory, "heartline.log");
    const reports = openReports({ logFile, descriptor, environment: {}, now });
    reports.write(report("before"));
    renameSync(logFile, `${logFile}.1`);
    reports.reopen();
    reports.write(report("after"));
    await reports.close();
    assert.match(readFileSync(logFile, "utf8"), /after\n$/);
    await waitUntil(() => readFileSync(`${logFile}.1`, "utf8").endsWith("before\n"));
  });
});

Deno.test("a log file that cannot be opened again is written on, and that is said", async () => {
  await inDirectory(async (directory, descriptor, screen) => {
    const below = join(directory, "below");
    mkdirSync(below);
    const logFile = join(below, "heartline.log");
    const reports = openReports({ logFile, descriptor, environment: {}, now });
    renameSync(below, `${below}.moved`);
    reports.reopen();
    reports.write(report("after"));
    await reports.close();
    const written = readFileSync(join(`${below}.moved`, "heartline.log"), "utf8");
    assert.match(written, /log-not-reopened[^\n]*its directory does not exist.*after\n$/s);
    assert.match(screen(), /log-not-reopened/);
  });
});

Deno.test("a log file that cannot be opened is said at once", () => {
  assert.throws(
    () => openReports({ logFile: "/nonexistent/heartline.log" }),
    (error) =>
      error instanceof EnvironmentError && error.exitCode === 69 &&
      /its directory does not exist/.test(error.message),
  );
  assert.ok(!existsSync("/nonexistent"));
});

Deno.test("lines that do not fit are dropped and their number is marked", async () => {
  await inDirectory(async (_, descriptor, screen) => {
    const writer = new LineWriter(descriptor, (count) => `lost ${count}`);
    for (let number = 0; number < 1501; number++) writer.write(`line ${number}`);
    await writer.flush(5000);
    const lines = screen().trimEnd().split("\n");
    assert.equal(lines[0], "line 0");
    // The first line was on its way when the others began to queue.
    assert.deepEqual(lines.slice(-2), ["line 1000", "lost 500"]);
  });
});

Deno.test("a descriptor that is gone loses lines and nothing else", async () => {
  const directory = mkdtempSync(join(tmpdir(), "heartline-reports-"));
  const descriptor = openSync(directory, "r");
  const writer = new LineWriter(descriptor, (count) => `lost ${count}`);
  writer.write("into a directory");
  await writer.close(5000);
  rmSync(directory, { recursive: true });
});

Deno.test("text from scripts and peers cannot recolour, move the cursor or forge lines", () => {
  const cases = [
    ["plain", "plain"],
    ["\u001b[1;31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007text", "text"],
    ["a\r\nb\tc", "a b c"],
    ["\u0085\u2028x", " x"],
    ["naïve 日本", "naïve 日本"],
  ] as const;
  for (const [text, expected] of cases) assert.equal(printable(text), expected);
  const line = { at: now().toISOString(), level: "info", code: "x", sentence: "a\nb", fields: {} } as const;
  assert.ok(!renderReport(line).includes("\n"));
  assert.ok(!renderJournalReport(line).includes("\n"));
});

async function waitUntil(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, "waited 5 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
