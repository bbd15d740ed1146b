/** What is said of a scenario file with mistakes: where, what was found, what would be accepted. */

import assert from "node:assert/strict";
import { pairConfig, parse, parseWith } from "./samples.ts";

const head = `duration: 20s\n${pairConfig}`;
/** Lines before what a test adds. */
const headLines = head.split("\n").length - 1;

/** What is added below a good scenario; line and column of the problem in it; words of message and hint. */
const mistakes: readonly (readonly [text: string, at: string, words: RegExp, hint: RegExp])[] = [
  ["evnts: []", "1:1", /unknown key "evnts"/, /did you mean "events"/],
  ["nodes: [n1]", "1:1", /"nodes" is not available/, /stand in "config"/],
  ["seed: many", "1:7", /"seed" cannot be "many"/, /whole number from 0/],
  ["events: [{ at: 5s }]", "1:10", /does not say what happens/, /add one of cut, firewall/],
  ["events: [{ cut: hb0 }]", "1:10", /an event has no "at"/, /add "at/],
  ["events: [{ at: 5s, cut: hb7 }]", "1:25", /no link "hb7"/, /did you mean "hb0"/],
  ["events: [{ at: 5s, cutt: hb0 }]", "1:20", /unknown key "cutt"/, /did you mean "cut"/],
  ["events: [{ at: 5s, cut: hb0, heal: hb0 }]", "1:30", /both "cut" and "heal"/, /begin a new event/],
  ["events: [{ at: 25s, cut: hb0 }]", "1:16", /after the end of the scenario at 20 s/, /raise duration/],
  ["events: [{ at: 5 parsecs, cut: hb0 }]", "1:16", /unknown unit "parsecs"/, /200ms/],
  ["events: [{ at: 5s, heal: hb0, for: 2s }]", "1:31", /no end of its own/, /remove it/],
  ["events: [{ at: 5s, flap: { link: hb0, every: 1s } }]", "1:20", /how long/, /add "for: 30s"/],
  ["events: [{ at: 5s, crash: n3 }]", "1:27", /no node "n3"/, /did you mean "n1"/],
  ["events: [{ at: 5s, firewall: { from: n1 } }]", "1:30", /"firewall" has no "to"/, /add "to/],
  ["events: [{ at: 5s, operator: { n1: takover web } }]", "1:36", /is no command/, /did you mean "takeover"/],
  ["events: [{ at: 5s, operator: { n1: takeover wib } }]", "1:36", /no group "wib"/, /did you mean "web"/],
  ["events: [{ at: 5s, operator: { n1: maintenance } }]", "1:36", /no command/, /maintenance on/],
  [
    "events: [{ at: 5s, script: { resource: exec:/srv/wab, stop: fails } }]",
    "1:40",
    /no resource of group "web"/,
    /did you mean "exec:\/srv\/web"/,
  ],
  [
    `events: [{ at: 5s, script: { resource: "exec:/srv/web", stop: explodes } }]`,
    "1:63",
    /neither an end nor a length of time/,
    /works, fails, hangs/,
  ],
  ["events: [{ at: 5s, clock: { n1: soon } }]", "1:33", /"soon" is not a length of time/, /200ms/],
  ["events: [{ at: 5s, degrade: { link: hb0, loss: 120% } }]", "1:48", /not a share/, /0% to 100%/],
  ["network: { hb0: { bandwidth: fast } }", "1:30", /not a speed/, /64kbit/],
  ["network: { hb0: { jitter: { parreto: 2ms } } }", "1:29", /unknown key "parreto"/, /"pareto"/],
  ["network: { hb0: { burst: { loss: 1% } } }", "1:26", /"burst" has no "packets"/, /add "packets/],
  ["network: { hb0: { addresses: { n1: here } } }", "1:36", /not an IP address/, /10\.0\.0\.1/],
  ["start: { n9: 2s }", "1:10", /no node "n9"/, /"n1"/],
  ["differs: { n9: {} }", "1:12", /no node "n9"/, /n1, n2/],
  ["differs: { n2: { deadtime: 300ms } }", "1:28", /not more than twice keepalive/, /raise deadtime/],
  ["expect: [never-two-holder]", "1:10", /cannot be "never-two-holder"/, /"never-two-holders"/],
  ["expect: [{ holder: { at: 5s } }]", "1:20", /"holder" has no "is"/, /add "is/],
  ["expect: [{ outage: { at-most: long } }]", "1:31", /not a length of time/, /200ms/],
  [
    "expect: [{ holder: { at: 500s, is: n1 } }]",
    "1:26",
    /"at" is after the end .* at 20 s/,
    /raise duration/,
  ],
  ["expect: [{ no-alarm: { from: 100s } }]", "1:30", /"from" is after the end/, /an earlier "from"/],
  ["expect: [{ alarm: { to: 21s } }]", "1:25", /"to" is after the end/, /raise duration/],
  ["expect: [{ no-alarm: { from: 9s, to: 4s } }]", "1:38", /from 9.00 s to 4.00 s/, /not before "from"/],
  [
    "expect: [{ no-alarm: { code: spilt-brain } }]",
    "1:30",
    /no node ever reports/,
    /did you mean "split-brain"/,
  ],
  ["expect: [{ no-alarm: { code: stalled } }]", "1:30", /is no alarm/, /write "no-report"/],
  ["expect: [{ report: { code: gruop-started } }]", "1:28", /no node ever reports/, /"group-started"/],
  ["expect: [{ moves: { at-most: some } }]", "1:30", /cannot be "some"/, /whole number/],
];

for (const [text, at, words, hint] of mistakes) {
  Deno.test(`a mistake is shown with its place and what would be accepted: ${text}`, () => {
    const { scenario, problems } = parse(head + text + "\n");
    const errors = problems.filter(({ severity }) => severity === "error");
    assert.equal(scenario, null);
    const [line, column] = at.split(":").map(Number);
    const found = errors.find((problem) => words.test(problem.message));
    assert.ok(found, `no such problem among: ${JSON.stringify(errors, null, 1)}`);
    assert.deepEqual([found.line - headLines, found.column], [line, column]);
    assert.match(found.hint ?? "", hint);
  });
}

Deno.test("a mistake in the embedded configuration is shown in its line of the scenario", () => {
  const { problems } = parse(head.replace("keepalive", "keepaliv"));
  const found = problems.find(({ code }) => code === "unknown-key");
  assert.deepEqual([found?.line, found?.column], [4, 3]);
  assert.equal(problems.filter(({ code }) => code === "unknown-key").length, 1, "said once for all nodes");
});

Deno.test("what has neither configuration nor duration is told both", () => {
  const { problems } = parse("about: nothing\n");
  assert.deepEqual(problems.map(({ message }) => message), [
    `the scenario has no "config"`,
    `the scenario has no "duration"`,
  ]);
});

Deno.test("a configuration in the place of a scenario is told so, once", () => {
  const { problems } = parse("nodes: [n1, n2]\nlinks: []\ngroups: {}\n");
  assert.deepEqual(problems.map(({ code }) => code), ["no-scenario"]);
  assert.match(problems[0]!.hint ?? "", /config: test\.yaml/);
});

Deno.test("a text that is no YAML is one problem at its place", () => {
  const { scenario, problems } = parse("about: [\n");
  assert.equal(scenario, null);
  assert.ok(problems.length >= 1 && problems[0]!.line >= 1);
});

const real = `nodes: [n1, n2]
keepalive: 200ms
deadtime: 1s
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: correct-horse-battery }] }
links: [{ bcast: { dev: hb0 } }]
groups: { web: { resources: [{ vip: 192.0.2.10/24, dev: eth0 }] } }
`;

Deno.test("nodes may read files of their own, named by path", () => {
  const { scenario } = parseWith("duration: 1s\nconfig: a.yaml\ndiffers: { n2: b.yaml }\n", {
    "a.yaml": real,
    "b.yaml": real.replace("deadtime: 1s", "deadtime: 2s"),
  });
  assert.equal(scenario?.settings.get("n1")?.timing.deadTimeMs, 1000);
  assert.equal(scenario?.settings.get("n2")?.timing.deadTimeMs, 2000);
});

Deno.test("a path that looks like a number must stand in quotes", () => {
  const { problems } = parse("duration: 1s\nconfig: 5\n");
  assert.deepEqual(problems.map(({ line, message, hint }) => [line, message, hint]), [
    [2, `"5" is not taken for the path of a configuration`, "write it in quotes"],
  ]);
});

Deno.test("problems of a file that is named by path are shown in that file", () => {
  const { problems } = parseWith("duration: 1s\nconfig: a.yaml\n", {
    "a.yaml": real.replace("links", "lynx"),
  });
  assert.equal(problems.find(({ severity }) => severity === "error")?.file, "a.yaml");
});
