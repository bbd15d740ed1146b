/** When an alarm is told, and the ways out: a command, a mail, a webhook, each against a real far end. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { commandChannel } from "../../lib/checks/alarms/command.ts";
import { mailText } from "../../lib/checks/alarms/mail.ts";
import {
  type Condition,
  type Memory,
  type Occasion,
  parseMemory,
  quiet,
  remember,
  step,
} from "../../lib/checks/alarms/memory.ts";
import type { AlarmMessage } from "../../lib/checks/alarms/message.ts";
import { webhookChannel } from "../../lib/checks/alarms/webhook.ts";

const ok: Condition = { a: "ok", b: "ok" };
const warning: Condition = { a: "warning", b: "ok" };
const critical: Condition = { a: "critical", b: "ok" };
const both: Condition = { a: "critical", b: "critical" };
const blind: Condition = { a: "unknown", b: "ok" };

/** Runs through conditions, a minute apart, and answers what was told at each. */
function course(conditions: readonly Condition[], repeatMs: number | null): Occasion[] {
  let memory: Memory = quiet;
  return conditions.map((condition, index) => {
    const nowMs = 1_000_000 + index * 60_000;
    const next = step(memory, condition, nowMs, repeatMs, ["mail"]);
    memory = remember(memory, next, condition, nowMs, []);
    return next.occasion;
  });
}

const courses: ReadonlyArray<
  readonly [what: string, conditions: Condition[], repeatMs: number | null, Occasion[]]
> = [
  ["all is well", [ok, ok], null, ["none", "none"]],
  ["once, and its end", [critical, critical, critical, ok, ok], null, [
    "new",
    "standing",
    "standing",
    "over",
    "none",
  ]],
  ["again after two minutes", [critical, critical, critical, critical, critical], 120_000, [
    "new",
    "standing",
    "repeated",
    "standing",
    "repeated",
  ]],
  ["worse and better", [warning, critical, warning, ok], null, ["new", "changed", "changed", "over"]],
  ["another address too", [critical, both, ok], null, ["new", "changed", "over"]],
  ["blindness is no end", [critical, blind, critical, ok], null, ["new", "changed", "changed", "over"]],
];

for (const [what, conditions, repeatMs, occasions] of courses) {
  Deno.test(`told: ${what}`, () => assert.deepEqual(course(conditions, repeatMs), occasions));
}

Deno.test("a channel that did not take it is tried again, alone, until it does", () => {
  const first = step(quiet, critical, 1000, null, ["mail", "webhook"]);
  assert.deepEqual(first.tell, ["mail", "webhook"]);
  const memory = remember(quiet, first, critical, 1000, ["mail"]);
  const second = step(memory, critical, 2000, null, ["mail", "webhook"]);
  assert.deepEqual([second.occasion, second.tell], ["standing", ["mail"]]);
  const after = remember(memory, second, critical, 2000, []);
  assert.deepEqual(step(after, critical, 3000, null, ["mail", "webhook"]).tell, []);
  assert.equal(after.sinceMs, 1000);
});

Deno.test("a clock that was set back silences no repetition", () => {
  const memory = remember(quiet, step(quiet, critical, 9e12, 60_000, []), critical, 9e12, []);
  assert.equal(step(memory, critical, 1000, 60_000, []).occasion, "repeated");
});

Deno.test("nothing that a state file may hold is mistaken for a memory, and a memory survives it", () => {
  const memory = remember(quiet, step(quiet, both, 5, null, ["mail"]), both, 5, ["mail"]);
  assert.deepEqual(parseMemory(JSON.stringify(memory)), memory);
  for (
    const text of [
      "",
      "{",
      "null",
      "[]",
      "{}",
      '{"schema":2}',
      JSON.stringify({ ...memory, condition: { a: "x" } }),
    ]
  ) {
    assert.equal(parseMemory(text), null, text);
  }
  const whole = JSON.stringify(memory);
  for (let length = 0; length < whole.length; length++) {
    assert.equal(parseMemory(whole.slice(0, length)), null);
  }
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    parseMemory(JSON.stringify(value));
  }));
});

function message(more: Partial<AlarmMessage> = {}): AlarmMessage {
  return {
    severity: "critical",
    occasion: "new",
    headline: "CRITICAL: split brain",
    text: "CRITICAL: split brain",
    json: { schema: 1, severity: "critical" },
    variables: { HEARTLINE_VIP: "10.0.0.9" },
    host: "node2",
    ...more,
  };
}

Deno.test("a mail has one header a line, whatever the headline holds", () => {
  const text = mailText("ops@example.org", message({ headline: "bad\r\nBcc: x@example.org ä" }), new Date(0));
  const head = text.slice(0, text.indexOf("\n\n")).split("\n");
  assert.equal(head.filter((line) => /^[A-Za-z-]+: \S/.test(line)).length, head.length, head.join("\n"));
  assert.match(head[1]!, /^Subject: =\?utf-8\?B\?[A-Za-z0-9+/=]+\?=$/);
  assert.match(head[2]!, /^Date: Thu, 01 Jan 1970 00:00:00 \+0000$/);
});

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "hl-alarms-"));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

Deno.test("a command gets the facts in its environment and the report on its standard input", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "told");
    assert.equal(
      await commandChannel(`echo "$HEARTLINE_VIP" > ${file}; cat >> ${file}`)(message(), 5000),
      null,
    );
    assert.equal(readFileSync(file, "utf8"), '10.0.0.9\n{"schema":1,"severity":"critical"}\n');
    assert.match(
      (await commandChannel("echo no such user; exit 7")(message(), 5000))!,
      /ended with 7.*no such user/,
    );
  }));

Deno.test("a command that hangs is killed with everything that it started", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "survived");
    const started = performance.now();
    const failure = await commandChannel(`(sleep 1.5; touch ${file}) & sleep 60`)(message(), 200);
    assert.match(failure!, /killed after 200 ms/);
    assert.ok(performance.now() - started < 5000);
    await new Promise((resolve) => setTimeout(resolve, 1800));
    assert.equal(existsSync(file), false, "a child of it went on");
  }));

/** A web server that answers as told; hands out what it was sent. */
async function withServer(
  answer: RequestListener,
  body: (url: string, bodies: readonly string[]) => Promise<void>,
): Promise<void> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => text += chunk);
    request.on("end", () => {
      bodies.push(text);
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, bodies);
  } finally {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

Deno.test("a webhook is tried again while the server is not well, and not when it refuses for good", async () => {
  let answers = [503, 500, 200];
  await withServer(
    (_request, response) => void response.writeHead(answers.shift() ?? 200).end(),
    async (url, bodies) => {
      assert.equal(await webhookChannel(url, () => 0.5)(message(), 10_000), null);
      assert.equal(bodies.length, 3);
      assert.deepEqual(JSON.parse(bodies[0]!), {
        host: "node2",
        occasion: "new",
        schema: 1,
        severity: "critical",
      });
      answers = [404, 200];
      assert.match((await webhookChannel(url)(message(), 10_000))!, /HTTP 404 \(1 attempt\)/);
      answers = [302, 200];
      assert.match((await webhookChannel(url)(message(), 10_000))!, /HTTP 302 \(1 attempt\)/);
    },
  );
});

Deno.test("a webhook whose server hangs, or is not there, ends in time", async () => {
  await withServer(() => {}, async (url) => {
    const started = performance.now();
    assert.match((await webhookChannel(url)(message(), 500))!, /no answer within/);
    assert.ok(performance.now() - started < 3000);
  });
  assert.match(
    (await webhookChannel("http://127.0.0.1:1/")(message(), 700))!,
    /ECONNREFUSED \([23] attempts\)/,
  );
});
