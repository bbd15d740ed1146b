/** What a person sees: every fixture fits its terminal, says what is wrong in words, and is made quickly. */

import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import stringWidth from "string-width";
import { renderAge } from "../../cli/render/ages.ts";
import { findings } from "../../cli/render/findings.ts";
import { paintFor, plainPaint } from "../../cli/render/paint.ts";
import { renderLinks } from "../../cli/render/links.ts";
import { renderStatus } from "../../cli/render/status.ts";
import { elide, renderTable, wrap } from "../../cli/render/table.ts";
import type { NodeView } from "../../lib/core/view.ts";
import * as views from "./views.ts";

const fixtures: Readonly<Record<string, () => NodeView>> = {
  "a healthy pair": views.healthyPair,
  "a split pair": views.splitPair,
  "a takeover held back by the wire": views.vetoedPair,
  "one dead link": views.oneLinkDead,
  "a failed resource": views.failedResource,
  "sixteen nodes": views.sixteenNodes,
};

function plain(view: NodeView, width = 80): string {
  return renderStatus(view, 12, { width, paint: plainPaint }).join("\n") + "\n";
}

for (const [name, make] of Object.entries(fixtures)) {
  Deno.test(`status of ${name} fits 80 columns and holds no control characters`, () => {
    for (const line of plain(make()).split("\n")) {
      assert.ok(stringWidth(line) <= 80, `${stringWidth(line)} columns: ${line}`);
      assert.equal(line, line.trimEnd());
      assert.equal(line, stripVTControlCharacters(line));
    }
  });

  Deno.test(`status of ${name} says the same with and without colour`, async () => {
    const paint = await paintFor({ isTTY: true }, { TERM: "xterm" });
    const coloured = renderStatus(make(), 12, { width: 80, paint }).join("\n") + "\n";
    assert.notEqual(coloured, plain(make()));
    const trimmed = (text: string) => text.split("\n").map((line) => line.trimEnd()).join("\n");
    assert.equal(trimmed(stripVTControlCharacters(coloured)), trimmed(plain(make())));
  });
}

Deno.test("ping nodes are shown with their state, and what is asked", () => {
  const pings = [
    { name: "router", targets: ["10.0.0.254"], state: "up", answeredAgoMs: 80 },
    { name: "exits", targets: ["10.0.0.253", "fd00::1"], state: "dead", answeredAgoMs: 9_000 },
  ] as const;
  const text = plain(views.healthyPair({ pings }));
  assert.match(
    text,
    /PING NODES\n {2}router +up +80 ms ago +10\.0\.0\.254\n {2}exits +DEAD +9\.0 s ago +10\.0\.0\.253, fd00::1/,
  );
});

Deno.test("the counters of links fit 80 columns, also of many nodes and large numbers", () => {
  const many = views.sixteenNodes();
  const large = views.healthyPair({
    peers: [views.peer("beta", {
      links: [views.link("tcp:enp0s31f6.1234", {
        state: "one-way",
        sent: 123_456_789,
        received: 98_765_432,
        duplicates: 12_345_678,
        lost: 1_234_567,
        reordered: 123_456,
        retransmitted: 12_345,
        refused: { "wrong-key": 3, "old-generation": 1_000_000 },
        roundTripMs: 1234.5,
        jitterMs: null,
      })],
      exchange: {
        missing: 3,
        requests: 12_345,
        irretrievable: 2,
        resent: 12_345,
        unanswered: 99_999,
        unacknowledged: 250,
      },
    })],
  });
  for (const view of [many, large]) {
    for (const line of renderLinks(view, { width: 80, paint: plainPaint })) {
      assert.ok(stringWidth(line) <= 80, `${stringWidth(line)} columns: ${line}`);
    }
  }
  const shown = renderLinks(large, { width: 80, paint: plainPaint }).join("\n");
  for (
    const part of [/ONE-WAY +1234\.5 +- +123M +98M +1M +12M +123k +12k/, /wrong-key 3/, /2 LOST for\s+good/]
  ) {
    assert.match(shown, part);
  }
});

Deno.test("what the media themselves have carried and could not send stands below the links", () => {
  const traffic = {
    hb0: {
      sentPackets: 12_345,
      sentBytes: 8_000_000,
      sendErrors: 7,
      receivedPackets: 9,
      receivedBytes: 5_000,
    },
  };
  const shown = renderLinks(views.healthyPair({ traffic }), { width: 80, paint: plainPaint }).join("\n");
  assert.match(shown, /packets out +bytes +not sent +packets in +bytes\n {2}hb0 +12k +8M +7 +9 +5000/);
});

Deno.test("a healthy pair is shown in full: who, where, why, links, arbiter, age", () => {
  assert.equal(
    plain(views.healthyPair()),
    `alpha in cluster shop, coordinator, up 3 d 4 h                  answer 12 ms old
All is well.

GROUPS
  web
    held by alpha (here)
    running here; epoch 7
    placed here: alpha is the most preferred able node in view
      IPaddr2::10.0.0.9/24/eth0  running
      ocf:heartbeat:nginx        running

NODES AND LINKS
  beta   alive  120 ms ago
    hb0  up     120 ms ago  5321 received
    hb1  up     120 ms ago  5321 received

ARBITERS
  gateway  reachable  400 ms ago  when cut off: release
`,
  );
});

const told: ReadonlyArray<readonly [what: string, view: NodeView, patterns: readonly RegExp[]]> = [
  ["split brain", views.splitPair(), [
    /HELD TWICE: alpha \(here\) AND beta/,
    /! two-holders +for 900 ms/,
    /NOT WELL: 1 finding\./,
  ]],
  ["the veto", views.vetoedPair(), [
    /! wire-veto +for 6\.9 s +web: not taken/,
    /HELD BY NOBODY/,
    /belongs on beta/,
    /TAKEOVER UNDER WAY: suspect > ask the wire/,
    /alpha +DOWN +8\.2 s ago +0 of 2 links up/,
    /UNPROTECTED\n {2}- web has neither fencing/,
    /MESSAGES REFUSED\n {2}wrong-key 12, malformed 3/,
  ]],
  ["one dead link", views.oneLinkDead(), [
    /beta +alive +120 ms ago +1 of 2 links up/,
    /hb1 +DEAD +63 s ago +5321 received, 4 lost/,
  ]],
  ["a failed resource", views.failedResource(), [
    /NOT ABLE here/,
    /FAILED, exit 1: nginx:/,
    /\| {2}nginx: \[emerg\] unknown directive/,
    /\| {2}test failed\n/,
  ]],
  ["maintenance", views.healthyPair({ maintenance: true }), [/\*\*\* MAINTENANCE: nothing is taken/]],
  ["isolation", views.healthyPair({ isolated: true }), [
    /\*\*\* ISOLATED: neither a peer nor an arbiter/,
    /NOT WELL/,
  ]],
  ["a start", views.healthyPair({ phase: "joining" }), [/cluster shop, JOINING, /]],
  [
    "a one-way link",
    views.healthyPair({
      peers: [views.peer("beta", { hearsUs: false, links: [views.link("hb0", { state: "one-way" })] })],
    }),
    [/hb0 +ONE-WAY .*we hear it, it does not hear us/, /0 of 1 links up, DOES NOT HEAR US/],
  ],
  [
    "settings that differ",
    views.healthyPair({ peers: [views.peer("beta", { settingsDiffer: true, version: "9.9.9" })] }),
    [/SETTINGS DIFFER from ours, heartline 9\.9\.9/],
  ],
  ["a Heartbeat daemon", views.healthyPair({ peers: [views.peer("beta", { version: null })] }), [
    /a Heartbeat daemon/,
  ]],
  [
    "a link that was never heard",
    views.healthyPair({
      peers: [views.peer("beta", { links: [views.link("hb0", { state: "never", heardAgoMs: null })] })],
    }),
    [/hb0 +NEVER +never/],
  ],
  [
    "an arbiter out of reach",
    views.healthyPair({
      arbiters: [{ name: "gw", policy: "hold-for 30s", reachable: false, answeredAgoMs: 9000 }],
    }),
    [/gw +UNREACHABLE +9\.0 s ago +when cut off: hold-for 30s/],
  ],
  [
    "fencing devices",
    views.healthyPair({
      fenceDevices: [
        {
          device: "ilo2",
          agent: "fence_ipmilan",
          nodes: ["beta"],
          state: "answers",
          reason: "",
          power: { beta: "on" },
          testedAgoMs: 180_000,
        },
        {
          device: "pdu",
          agent: "fence_apc",
          nodes: ["beta"],
          state: "silent",
          reason: "it cannot tell the power of beta: exit 1",
          power: { beta: "unknown" },
          testedAgoMs: 3000,
        },
      ],
    }),
    [/ilo2 +answers +tested 3 min 0 s ago +beta is on/, /pdu +SILENT +tested 3\.0 s ago +it cannot tell/],
  ],
  ["a block", views.healthyPair({ groups: [views.group("web", { state: "blocked" })] }), [
    /BLOCKED here/,
    /NOT WELL/,
  ]],
  ["a placement by hand", views.healthyPair({ groups: [views.group("web", { pinnedTo: "beta" })] }), [
    /put on beta by hand/,
  ]],
  [
    "a peer that said goodbye",
    views.healthyPair({
      peers: [
        views.peer("beta", {
          state: "left",
          links: [views.link("hb0", { state: "dead", heardAgoMs: 9000 })],
        }),
      ],
    }),
    [
      /No alarm, but no other node is there: nobody could take over\./,
      /beta +left/,
      /hb0 +closed +9\.0 s ago/,
    ],
  ],
  ["a cluster without groups", views.healthyPair({ groups: [] }), [/GROUPS\n {2}none/]],
];
for (const [what, view, patterns] of told) {
  Deno.test(`status tells of ${what}`, () => {
    for (const pattern of patterns) assert.match(plain(view), pattern);
  });
}

Deno.test("a fencing that does not work is shown in capitals, one that did with its age", () => {
  const fencing = [
    { node: "beta", state: "failed" as const, attempts: 2, sentence: "ilo: no answer", fencedAgoMs: null },
    { node: "gamma", state: "fenced" as const, attempts: 0, sentence: "ilo: off", fencedAgoMs: 9_000 },
  ];
  const text = plain(views.healthyPair({ fencing }));
  assert.match(text, /FENCING\n +beta +FAILED +ilo: no answer\n +gamma +fenced +9\.0 s ago +ilo: off/);
});

Deno.test("names of groups are never elided: they are what takeover takes", () => {
  const text = plain(views.sixteenNodes());
  for (const { group } of views.sixteenNodes().groups) assert.ok(text.includes(`\n  ${group}\n`), group);
});

Deno.test("all is well exactly when nothing is found, and every alarm is a finding", () => {
  const cases: ReadonlyArray<readonly [NodeView, number]> = [
    [views.healthyPair(), 0],
    [views.sixteenNodes(), 0],
    [views.healthyPair({ maintenance: true }), 0],
    [views.splitPair(), 1],
    [{ ...views.splitPair(), alarms: [] }, 1],
    [views.vetoedPair(), 2],
    [views.failedResource(), 1],
    [{ ...views.failedResource(), alarms: [] }, 1],
    [views.healthyPair({ isolated: true }), 1],
  ];
  for (const [view, count] of cases) {
    assert.equal(findings(view).length, count, JSON.stringify(findings(view)));
  }
});

Deno.test("colour is for terminals only, and NO_COLOR turns it off", async () => {
  const cases = [
    [{ isTTY: true }, { TERM: "xterm" }, true],
    [{ isTTY: true }, { TERM: "xterm", NO_COLOR: "1" }, false],
    [{ isTTY: true }, { TERM: "dumb" }, false],
    [{ isTTY: false }, { TERM: "xterm" }, false],
    [{}, {}, false],
  ] as const;
  for (const [stream, environment, isColoured] of cases) {
    const paint = await paintFor(stream, environment);
    assert.equal(paint.bad("x") !== "x", isColoured);
  }
});

Deno.test("ages have a unit and at most two parts", () => {
  const cases = [
    [0, "0 ms"],
    [999, "999 ms"],
    [1000, "1.0 s"],
    [9_949, "9.9 s"],
    [9_950, "10 s"],
    [99_000, "99 s"],
    [100_000, "1 min 40 s"],
    [3_599_000, "59 min 59 s"],
    [3_600_000, "1 h 0 min"],
    [172_800_000, "2 d 0 h"],
  ] as const;
  for (const [ms, text] of cases) assert.equal(renderAge(ms), text);
});

const words = fc.array(fc.string({ unit: "grapheme", maxLength: 30 })).map((all) => all.join(" "));

Deno.test("wrapped text fits and loses nothing but blanks", () => {
  fc.assert(fc.property(words, fc.integer({ min: 4, max: 40 }), (text, width) => {
    const lines = wrap(text, width);
    for (const line of lines) assert.ok(stringWidth(line) <= width, `${stringWidth(line)} > ${width}`);
    assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
  }));
});

Deno.test("elided text fits and keeps both ends", () => {
  fc.assert(fc.property(words, fc.integer({ min: 6, max: 40 }), (text, width) => {
    assert.ok(stringWidth(elide(text, width)) <= width);
  }));
  assert.equal(elide("group-1-of-the-very-long-application", 12), "group..ation");
  assert.equal(elide("short", 12), "short");
  // Signs of several code points, whose halves are wider than the whole.
  const notes = "   \u26d4   \u{16fe0}  \u{1d158}\u{1d165}\u{1d16e}\u{1f250}      \u2e80\u2e80";
  assert.ok(stringWidth(elide(notes, 26)) <= 26);
});

Deno.test("columns line up whatever is in them, and control characters do not get through", () => {
  const lines = renderTable([["日本", "x"], ["a\u001b[31mb", "long text that wraps here"]], {
    width: 22,
    indent: 1,
    widthsMax: [],
  });
  assert.deepEqual(lines, [" 日本  x", " ab    long text that", "       wraps here"]);
});

Deno.test("status of sixteen nodes is rendered in less than 20 ms", () => {
  const view = views.sixteenNodes();
  plain(view);
  const times = Array.from({ length: 21 }, () => {
    const startedAt = performance.now();
    plain(view);
    return performance.now() - startedAt;
  });
  const median = times.sort((a, b) => a - b)[10]!;
  assert.ok(median < 20, `median ${median} ms`);
});
