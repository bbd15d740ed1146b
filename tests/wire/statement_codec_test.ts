import assert from "node:assert/strict";
import fc from "fast-check";
import { stringField } from "../../lib/wire/message.ts";
import { open, seal } from "../../lib/wire/packet.ts";
import type { Statement } from "../../lib/wire/statement.ts";
import { readStatement, writeStatement } from "../../lib/wire/statement_codec.ts";
import { udpPacketBytesMax } from "../../lib/wire/limits.ts";
import { anyStatement } from "./arbitraries.ts";
import { keys } from "./captures.ts";
import { drawFrom, mutate } from "./mutation.ts";

const statement: Statement = {
  dialect: 1,
  version: "0.1.0",
  settingsHash: "3f2a",
  phase: "settled",
  settledForMs: 12_345,
  media: [{ name: "hb0", address: "10.0.0.1" }, { name: "ttyS0", address: null }],
  hears: { node2: { generation: 7, sequence: 99, on: [0, 1], last: [[99, 0], [98, 205]], acked: 97 } },
  clock: 17,
  sentMs: 123_456,
  groups: {
    web: {
      state: "running",
      epoch: 4,
      able: true,
      wants: false,
      leaseSeconds: 3,
      pin: { node: "node1", version: 2 },
    },
  },
  maintenance: { on: false, version: 0 },
};

/** Without the question of prototypes. */
const comparable = (value: unknown) => JSON.parse(JSON.stringify(value));

Deno.test("every statement comes back as it was", () => {
  fc.assert(fc.property(anyStatement, (statement) => {
    const text = writeStatement(statement);
    assert.match(text, /^[ -~]*$/, "one line of ASCII");
    const read = readStatement(text);
    assert(read.ok, JSON.stringify(read));
    assert.deepEqual(comparable(read.statement), comparable(statement));
  }));
});

Deno.test("a statement survives a message in both encodings", () => {
  const authentication = keys("sha256", "s");
  fc.assert(
    fc.property(anyStatement, fc.constantFrom("netstring" as const, "text" as const), (statement, format) => {
      const written = writeStatement(statement);
      const fields = Object.entries({ t: "status", src: "a", seq: "1", ts: "1", heartline: written })
        .map(([name, value]) => stringField(name, value));
      const opened = open(seal({ fields }, { format, authentication }), { authentication, isPrivate: false });
      assert(opened.ok);
      assert.deepEqual(opened.message.message.fields[4], stringField("heartline", written));
    }),
  );
});

Deno.test("members that are not known are left out, so that the dialect can grow", () => {
  const text = writeStatement({ ...statement, mood: "good" } as Statement)
    .replace('"state":', '"colour":[{"deep":1}],"state":');
  const read = readStatement(text);
  assert(read.ok);
  assert.deepEqual(comparable(read.statement), comparable(statement));
});

Deno.test("names of inherited members are names like others, and nothing is inherited", () => {
  const group = JSON.stringify(statement.groups.web);
  const read = readStatement(
    writeStatement(statement).replace('"groups":{', `"groups":{"__proto__":${group},"constructor":${group},`),
  );
  assert(read.ok);
  assert.deepEqual(Object.keys(read.statement.groups).sort(), ["__proto__", "constructor", "web"]);
  assert.equal(Object.getPrototypeOf(read.statement.groups), null);
  assert.equal(Object.getPrototypeOf(read.statement.hears), null);
  assert.equal(read.statement.groups.toString, undefined);
  assert.equal(({} as Record<string, unknown>).epoch, undefined);
});

Deno.test("a member is not taken from a __proto__ that a peer sends", () => {
  const read = readStatement(`{"__proto__":${writeStatement(statement)}}`);
  assert.equal(read.ok, false);
});

/** Each member in turn: a value that it must not have. */
const bad: ReadonlyArray<readonly [path: string, value: unknown, detail: RegExp]> = [
  ["dialect", 2, /^dialect is 2; this node speaks 1$/],
  ["dialect", "1", /^dialect is "1"; accepted: a whole number/],
  ["version", "", /^version is ""/],
  ["version", "x".repeat(129), /^version is "x+…"/],
  ["version", "\u001b[2J", /^version/],
  ["version", "a\u009bb", /^version/],
  ["version", 1, /^version is 1/],
  ["settingsHash", null, /^settingsHash is null/],
  ["settingsHash", undefined, /^settingsHash is missing/],
  ["phase", "active", /^phase is "active"; accepted: joining, settled, leaving$/],
  ["phase", "toString", /^phase/],
  ["settledForMs", -1, /^settledForMs is -1/],
  ["settledForMs", 1.5, /^settledForMs is 1.5/],
  ["settledForMs", 2 ** 48, /^settledForMs/],
  ["settledForMs", "1", /^settledForMs/],
  ["media", {}, /^media is an object; accepted: a list$/],
  ["media", null, /^media is null/],
  ["media", Array(17).fill({ name: "a", address: null }), /^media has 17 elements; 16 at most$/],
  ["media.0", "hb0", /^media\[0\] is "hb0"; accepted: an object$/],
  ["media.0.name", "", /^media\[0\]\.name/],
  ["media.1.address", undefined, /^media\[1\]\.address is missing/],
  ["hears", [], /^hears is a list; accepted: an object$/],
  ["hears", Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`n${i}`, {}])), /^hears has 17 members/],
  ["hears", { "": { generation: 1, sequence: 1, on: [] } }, /^a name in hears is ""/],
  ["hears", { ["n".repeat(65)]: { generation: 1, sequence: 1, on: [] } }, /^a name in hears/],
  ["hears.node2", null, /^hears\.node2 is null/],
  ["hears.node2.generation", -1, /^hears\.node2\.generation/],
  ["hears.node2.sequence", 1e300, /^hears\.node2\.sequence/],
  ["hears.node2.on", [2], /^hears\.node2\.on\[0\] is 2; accepted: a whole number from 0 to 1$/],
  ["hears.node2.on", [0, 0], /^hears\.node2\.on names a medium twice$/],
  ["hears.node2.on", [0, 1, 0], /^hears\.node2\.on has 3 elements/],
  ["hears.node2.on", "01", /^hears\.node2\.on/],
  ["groups", null, /^groups is null/],
  [
    "groups",
    Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`g${i}`, {}])),
    /^groups has 257 members/,
  ],
  ["groups.web.state", "held", /^groups\.web\.state is "held"; accepted: stopped, unknown,/],
  ["groups.web.epoch", -1, /^groups\.web\.epoch/],
  ["groups.web.epoch", Number.MAX_SAFE_INTEGER, /^groups\.web\.epoch/],
  ["groups.web.able", 1, /^groups\.web\.able is 1; accepted: true or false$/],
  ["groups.web.wants", "true", /^groups\.web\.wants/],
  ["groups.web.leaseSeconds", 86_401, /^groups\.web\.leaseSeconds/],
  ["groups.web.pin", undefined, /^groups\.web\.pin is missing/],
  ["groups.web.pin", [], /^groups\.web\.pin is a list/],
  ["groups.web.pin.node", "", /^groups\.web\.pin\.node/],
  ["groups.web.pin.version", null, /^groups\.web\.pin\.version/],
  ["maintenance", true, /^maintenance is true/],
  ["maintenance.on", undefined, /^maintenance\.on is missing/],
  ["maintenance.version", -1, /^maintenance\.version/],
  ["clock", null, /^clock is null/],
  ["clock", 2 ** 48, /^clock/],
  ["sentMs", 0.5, /^sentMs is 0\.5/],
  ["hears.node2.last", [[1, 2], [1, 2], [1, 2]], /^hears\.node2\.last/],
  ["hears.node2.last", [1], /^hears\.node2\.last/],
];

for (const [path, value, detail] of bad) {
  const shown = JSON.stringify(value)?.slice(0, 40);
  Deno.test(`a statement whose ${path} is ${shown} is refused by name`, () => {
    const changed = structuredClone(statement) as unknown as Record<string, unknown>;
    const members = path.split(".");
    const last = members.pop()!;
    const holder = members.reduce((at, member) => at[member] as Record<string, unknown>, changed);
    holder[last] = value;
    const read = readStatement(JSON.stringify(changed));
    assert(!read.ok);
    assert.match(read.detail, detail);
    assert(read.detail.length < 300);
  });
}

for (
  const text of [
    "",
    "{",
    "null",
    "1",
    '"x"',
    "[]",
    "{}",
    "NaN",
    "\0",
    `{"a":${"[".repeat(50_000)}`,
    "[".repeat(1e6),
  ]
) {
  Deno.test(`${JSON.stringify(text.slice(0, 12))} of ${text.length} characters is no statement`, () => {
    const read = readStatement(text);
    assert(!read.ok);
    assert.notEqual(read.detail, "");
  });
}

Deno.test("the largest statement still fits a UDP packet", () => {
  const named = (prefix: string, length: number, count: number) =>
    Array.from({ length: count }, (_, i) => (prefix + i).padEnd(length, "x"));
  const largest: Statement = {
    ...statement,
    hears: Object.fromEntries(
      named("node", 64, 16).map((name) => [name, { generation: 2 ** 32, sequence: 2 ** 32, on: [0, 1] }]),
    ),
    // Names of 100 characters: a Filesystem line with all its arguments.
    groups: Object.fromEntries(named("group", 100, 256).map((name) => [name, statement.groups.web!])),
  };
  assert(
    writeStatement(largest).length < udpPacketBytesMax - 1_000,
    `${writeStatement(largest).length} bytes`,
  );
  assert(readStatement(writeStatement(largest)).ok);
});

Deno.test("10,000 damaged statements are read or refused, never thrown at", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`      seed ${seed}`);
  const draw = drawFrom(seed);
  const genuine = new TextEncoder().encode(writeStatement(statement));
  let refused = 0;
  for (let i = 0; i < 10_000; i++) {
    const read = readStatement(new TextDecoder().decode(mutate(genuine, genuine, draw)));
    if (!read.ok) refused++;
  }
  assert(refused > 5_000, `${refused} refused`);
});
