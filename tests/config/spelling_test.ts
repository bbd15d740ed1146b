import assert from "node:assert/strict";
import { nearest, suggestion } from "../../lib/config/spelling.ts";

const known = ["keepalive", "deadtime", "node", "ucast", "lsb", "auto_failback"];

Deno.test("the nearest word is found, and only when it is near", () => {
  const cases: readonly [string, string | null][] = [
    ["keepalvie", "keepalive"],
    ["KeepAlive", "keepalive"],
    ["keep-alive", "keepalive"],
    ["auto-failback", "auto_failback"],
    ["dedtime", "deadtime"],
    ["lbs", "lsb"],
    ["nodes", "node"],
    ["xyz", null],
    ["watchdog", null],
    ["", null],
    ["k".repeat(5000), null],
  ];
  for (const [word, expected] of cases) assert.equal(nearest(word, known), expected, word);
});

Deno.test("a word like none other is answered with what is accepted", () => {
  assert.equal(suggestion("zzz", ["on", "off"]), "accepted: on, off");
});
