import assert from "node:assert/strict";
import { HandWired } from "../hand_wired.ts";
import { settings } from "../samples.ts";

const stray = (device: string | null) =>
  ({ kind: "stray", group: "web", address: "10.9.0.100", device }) as const;

function pair(): HandWired {
  const wired = new HandWired(settings({ nodes: ["n1", "n2"] }));
  wired.start("n1");
  wired.start("n2");
  wired.run(5_000);
  return wired;
}

const alarms = (wired: HandWired, node: string) =>
  wired.nodes.get(node)!.view().alarms.filter(({ code }) => code === "stray-address");

Deno.test("an address on the node that does not hold its group is an alarm until it is gone", () => {
  const wired = pair();
  assert.equal(wired.nodes.get("n1")!.keepers[0]!.machine.state, "running");
  wired.step("n2", stray("eth0"));
  assert.match(alarms(wired, "n2")[0]!.sentence, /10\.9\.0\.100 is on eth0 .* web does not run here/);
  wired.run(wired.nowMs + 5_000);
  assert.equal(alarms(wired, "n2").length, 1);
  assert.equal(wired.reports("n2").filter((each) => each === "alarm stray-address").length, 1);
  wired.step("n2", stray(null));
  assert.deepEqual(alarms(wired, "n2"), []);
});

Deno.test("no alarm where the group runs: it would come when the group has stopped and the address stayed", () => {
  const wired = pair();
  wired.step("n1", stray("eth0"));
  assert.deepEqual(alarms(wired, "n1"), []);
});
