import assert from "node:assert/strict";
import {
  type DrillPlan,
  isHit,
  parseComment,
  parseTableName,
  rulesOf,
  tableName,
} from "../../lib/drill/plan.ts";
import { wholeCut as whole } from "./samples.ts";

const neighbour = { kind: "peer", address: "192.0.2.2", family: 4, hardware: "02:00:00:00:00:02" } as const;
const distant = { kind: "peer", address: "2001:db8::2", family: 6, hardware: null } as const;

/** The rules alone, without what says that they are armed and what they do. */
function matchesOf(plan: Partial<DrillPlan>): string[] {
  return rulesOf({ ...whole, ...plan }, "t").split("\n").filter((line) => line.includes("@armed"))
    .map((line) => line.trim().replace("iifname @armed", "<").replace("oifname @armed", ">"))
    .map((line) => line.replace(/ ?counter drop comment ".*"$/, ""));
}

Deno.test("each kind of drill becomes the rules that drop what it means, and no others", () => {
  const cases: ReadonlyArray<readonly [Partial<DrillPlan>, string[]]> = [
    [{}, ["<", ">"]],
    [{ directions: ["in"] }, ["<"]],
    [{ directions: ["out"] }, [">"]],
    [{ lossPermille: 300 }, ["< numgen random mod 1000 < 300", "> numgen random mod 1000 < 300"]],
    [{ directions: ["out"], scope: neighbour }, [
      "> ether daddr 02:00:00:00:00:02",
      "> ip daddr 192.0.2.2",
      "> arp daddr ip 192.0.2.2",
    ]],
    [{ directions: ["in"], scope: distant }, ["< ip6 saddr 2001:db8::2"]],
    [{ directions: ["in"], port: 694 }, [
      "< meta l4proto { tcp, udp } th sport 694",
      "< meta l4proto { tcp, udp } th dport 694",
    ]],
    [{ directions: ["in"], port: 694, scope: distant, lossPermille: 5 }, [
      "< ip6 saddr 2001:db8::2 meta l4proto { tcp, udp } th sport 694 numgen random mod 1000 < 5",
      "< ip6 saddr 2001:db8::2 meta l4proto { tcp, udp } th dport 694 numgen random mod 1000 < 5",
    ]],
  ];
  for (const [plan, expected] of cases) assert.deepEqual(matchesOf(plan), expected);
});

Deno.test("on Ethernet what goes out is made undeliverable, so that its sender is not told", () => {
  const rules = rulesOf({ ...whole, ownHardware: "02:00:00:00:00:01" }, "t");
  assert.match(
    rules,
    /oifname @armed ether type set 0x88b5 ether daddr set 02:00:00:00:00:01 counter accept comment/,
  );
  assert.match(rules, /iifname @armed counter drop comment/);
});

Deno.test("every rule matches only while the kernel's own timeout runs", () => {
  const rules = rulesOf({ ...whole, scope: neighbour, port: 694, lossPermille: 10 }, "t");
  assert.match(rules, /elements = \{ "eth1" timeout 20000ms \};/);
  const dropping = rules.split("\n").filter((line) => line.includes(" drop "));
  assert.equal(dropping.length, 8);
  for (const rule of dropping) assert.match(rule, /^\s+[io]ifname @armed /);
});

Deno.test("a table's name tells the drill and its end, and no other name is taken for one", () => {
  assert.deepEqual(parseTableName(tableName("ab12cd", 1795613134)), {
    id: "ab12cd",
    endsAtUnixSeconds: 1795613134,
  });
  for (const name of ["heartline_drill_ab12cd", "heartline_drill__1", "xheartline_drill_ab_1", "filter"]) {
    assert.equal(parseTableName(name), null, name);
  }
});

Deno.test("a rule's comment fits the packet filter and tells the link again", () => {
  const longest = rulesOf({
    ...whole,
    link: "a23456789012345",
    scope: { ...distant, address: "2001:db8:1111:2222:3333:4444:5555:6666" },
    port: 65535,
    lossPermille: 999,
  }, "t");
  const comment = /comment "([^"]*)"/.exec(longest)![1]!;
  assert.ok(comment.length < 128, `${comment.length} bytes`);
  assert.equal(parseComment(comment)?.link, "a23456789012345");
});

Deno.test("a conversation is hit by what it shares with the drill", () => {
  const [peer, another] = [neighbour.hardware, "02:00:00:00:00:09"];
  const cases: ReadonlyArray<readonly [Partial<DrillPlan>, string, string | null, boolean | null]> = [
    [{}, "192.0.2.9", null, true],
    [{ scope: neighbour }, "192.0.2.9", another, false],
    [{ scope: neighbour }, "203.0.113.7", another, false],
    // It routes for the far end, or has that address too; or nobody knows.
    [{ scope: neighbour }, "203.0.113.7", peer, true],
    [{ scope: neighbour }, "2001:db8::2", peer, true],
    [{ scope: neighbour }, "203.0.113.7", null, null],
    [{ scope: neighbour, port: 694 }, "203.0.113.7", peer, false],
    [{ scope: { ...neighbour, hardware: null } }, "203.0.113.7", null, false],
    [{ scope: neighbour }, "192.0.2.2", another, true],
    [{ port: 694 }, "192.0.2.2", null, false],
    [{ port: 22 }, "192.0.2.2", null, true],
  ];
  for (const [plan, remote, hop, expected] of cases) {
    assert.equal(isHit({ ...whole, ...plan }, remote, [22, 50123], hop), expected, `${remote} by ${hop}`);
  }
});
