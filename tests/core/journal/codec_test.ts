import assert from "node:assert/strict";
import fc from "fast-check";
import type { Effect } from "../../../lib/core/effects.ts";
import type { Input } from "../../../lib/core/inputs.ts";
import { JournalDecoder, JournalEncoder } from "../../../lib/core/journal/codec.ts";
import { digestOf } from "../../../lib/core/journal/digest.ts";
import { journalFormat, type JournalHeader, withoutSecrets } from "../../../lib/core/journal/format.ts";
import { type Message, stringField } from "../../../lib/wire/message.ts";
import { readControl } from "../../../lib/wire/packet.ts";
import { statementField } from "../../../lib/wire/statement.ts";
import { readStatement, writeStatement } from "../../../lib/wire/statement_codec.ts";
import { anyMessage, anyStatement } from "../../wire/arbitraries.ts";
import { id, settings } from "../samples.ts";

const header: JournalHeader = {
  journal: journalFormat,
  version: "1",
  identity: {
    node: "n1",
    version: "1",
    generation: 7,
    settingsHash: "same",
    keptEpochs: { web: 3 },
    unprotected: [],
  },
  seed: 42,
  settings: settings(),
  now: 1_000,
  at: "2026-01-31T03:00:00.000Z",
  part: 0,
};

/** A status message with anything behind its control fields, as the messenger would hand it over. */
const messageInput = fc.record({
  message: anyMessage,
  statement: fc.option(anyStatement),
  source: fc.constantFrom("n2", "n3"),
  sequence: fc.integer({ min: 1, max: 1e6 }),
  medium: fc.constantFrom("hb0", "hb1"),
}).map(({ message, statement, source, sequence, medium }): Input => {
  const own = ["t", "src", "seq", "hg", "ts", "dest", statementField];
  const whole: Message = {
    fields: [
      stringField("t", "status"),
      stringField("src", source),
      stringField("seq", sequence.toString(16)),
      stringField("ts", "1"),
      ...(statement === null ? [] : [stringField(statementField, writeStatement(statement))]),
      ...message.fields.filter(({ name }) => !own.includes(name)),
    ],
  };
  const opened = readControl(whole);
  if (!opened.ok) throw new Error(opened.detail);
  const read = statement === null ? null : readStatement(writeStatement(statement));
  if (read?.ok === false) throw new Error(read.detail);
  return { kind: "message", medium, message: opened.message, statement: read?.statement ?? null };
});

const plainInput = fc.constantFrom<Input>(
  { kind: "wake" },
  { kind: "start" },
  { kind: "medium", medium: "hb0", isUp: false, address: null, reason: "ENETDOWN" },
  { kind: "command", command: { kind: "takeover", groups: ["web"] } },
  { kind: "outcome", id: id(3), outcome: { kind: "wire", verdict: { kind: "silent" } } },
);

const step = fc.record({
  afterMs: fc.integer({ min: 0, max: 1e6 }),
  input: fc.oneof(messageInput, plainInput),
  decided: fc.oneof(
    fc.constant({ digest: 0, noted: [] }),
    fc.record({
      digest: fc.integer({ min: 1, max: 0xffffffff }),
      noted: fc.constantFrom<Effect[]>([], [{ kind: "drop", group: "web" }]),
    }, { noNullPrototype: true }),
  ),
});

Deno.test("whatever is written is read again, and a loss in between takes nothing of what follows", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.nat({ max: 19 }), (steps, lossAt) => {
      const encoder = new JournalEncoder();
      const lines = [encoder.header(header)];
      let now = header.now;
      const expected: unknown[] = [{ kind: "header", header }];
      for (const [index, { afterMs, input, decided }] of steps.entries()) {
        now += afterMs;
        if (index === lossAt) {
          lines.push(encoder.lost(5, now));
          expected.push({ kind: "lost", count: 5, now });
        }
        const step = { now, input, ...decided };
        lines.push(encoder.step(step));
        expected.push({ kind: "step", step });
      }
      const decoder = new JournalDecoder();
      assert.deepEqual(lines.map((line) => decoder.line(line)), expected);
    }),
  );
});

Deno.test("the second copy of a heartbeat, and a heartbeat that counts on, cost a few bytes", () => {
  const encoder = new JournalEncoder();
  encoder.header(header);
  const beat = (medium: string, sequence: number): Input => {
    const fields = [
      stringField("t", "status"),
      stringField("src", "n2"),
      stringField("seq", sequence.toString(16)),
      stringField("ts", "1"),
      stringField("load", `{"a":1,"sequence":${sequence},"more":"${"x".repeat(500)}"}`),
    ];
    const opened = readControl({ fields });
    assert.ok(opened.ok);
    return { kind: "message", medium, message: opened.message, statement: null };
  };
  const bytes = [beat("hb0", 16), beat("hb1", 16), beat("hb0", 17)].map((input) =>
    encoder.step({ now: 1_000, input, digest: 0, noted: [] }).length
  );
  assert.ok(bytes[0]! > 500 && bytes[1]! < 20 && bytes[2]! < 70, bytes.join());
});

Deno.test("a line that cannot be read is said to be one, whatever is in it", () => {
  const good = new JournalEncoder();
  const lines = [
    good.header(header),
    good.step({ now: 1_001, input: { kind: "wake" }, digest: 5, noted: [] }),
  ];
  const bad = [
    "",
    "{",
    "null",
    "7",
    "{}",
    "[]",
    "[1.5]",
    `[1,["hb0",9]]`,
    `[1,["hb0",0,[0,"x"]]]`,
    `{"now":1}`,
    `{"journal":99,"now":1}`,
    lines[1]!.slice(0, -2),
  ];
  for (const line of bad) assert.equal(new JournalDecoder().line(line).kind, "unreadable", line);
  fc.assert(fc.property(fc.json(), (line) => void new JournalDecoder().line(line)));
});

Deno.test("no secret is written", () => {
  const base = settings();
  const secret = "s3cr3t";
  const resources = base.groups[0]!.resources.map((resource) => ({
    ...resource,
    spec: { kind: "ocf", provider: "heartbeat", type: "db", parameters: { password: secret } } as const,
  }));
  const text = JSON.stringify(withoutSecrets({
    ...base,
    authentication: { signWith: 1, keys: [{ index: 1, method: "sha256", secret }], allowCrc: false },
    groups: [{ ...base.groups[0]!, resources }],
    process: { ...base.process, environment: { TOKEN: secret } },
  }));
  assert.doesNotMatch(text, /s3cr3t/);
  assert.match(text, /sha256/);
});

Deno.test("only a step without effects has the digest 0, and other effects have another", () => {
  assert.equal(digestOf([]), 0);
  const one = digestOf([{ kind: "drop", group: "web" }]);
  assert.notEqual(one, 0);
  assert.notEqual(one, digestOf([{ kind: "drop", group: "db" }]));
  assert.equal(one, digestOf([{ kind: "drop", group: "web" }]));
});
