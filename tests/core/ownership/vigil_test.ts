/** The alarms about a group that nobody holds, and about somebody who answers for its address. */

import assert from "node:assert/strict";
import type { WireVerdict } from "../../../lib/core/inputs.ts";
import { Peer } from "../../../lib/core/membership/peer.ts";
import type { Claim } from "../../../lib/core/ownership/claim.ts";
import type { Exclusion } from "../../../lib/core/ownership/exclusion.ts";
import type { Surroundings } from "../../../lib/core/ownership/surroundings.ts";
import { Vigil } from "../../../lib/core/ownership/vigil.ts";
import { at, contextAt, reports, settings, timing } from "../samples.ts";

const patienceMs = 5_000;

function scene() {
  const context = contextAt(0);
  const vigil = new Vigil("web");
  const surroundings = { settings: settings(), phase: "settled", isCoordinator: true, peers: [] };
  const look = (ms: number, isHeld: boolean, changes: Partial<Surroundings> = {}) => {
    context.now = at(ms);
    vigil.watchHolder(context, { ...surroundings, ...changes } as unknown as Surroundings, isHeld, "because");
    return reports(context.takeEffects());
  };
  /** The lease of the lost holder may run until 3000. */
  const hear = (ms: number, last: WireVerdict | null, isTakeover: boolean) => {
    context.now = at(ms);
    const lost = new Peer("n2", ["hb0"], timing);
    const said = vigil.watchWire(
      context,
      { ...surroundings, peers: [lost] } as unknown as Surroundings,
      { wire: { last }, leaseEnd: () => at(3_000) } as unknown as Claim,
      { isTakeover } as Exclusion,
    );
    return [said, ...reports(context.takeEffects())];
  };
  return { context, vigil, look, hear };
}

Deno.test("a group that nobody holds is an alarm after a while, once, and cleared by the first holder", () => {
  const { look } = scene();
  assert.deepEqual(look(1_000, false), []);
  assert.deepEqual(look(1_000 + patienceMs - 1, false), []);
  assert.deepEqual(look(1_000 + patienceMs, false), ["alarm group-unheld"]);
  assert.deepEqual(look(60_000, false), []);
  assert.deepEqual(look(61_000, true), ["clear group-unheld"]);
  assert.deepEqual(look(62_000, true), []);
});

Deno.test("a move shorter than the patience is no alarm, and the next one counts anew", () => {
  const { look } = scene();
  look(1_000, false);
  look(1_000 + patienceMs - 1, true);
  look(7_000, false);
  assert.deepEqual(look(7_000 + patienceMs - 1, false), []);
});

for (
  const [name, changes] of [["another node coordinates", { isCoordinator: false }], ["it is joining", {
    phase: "joining",
  }]] as const
) {
  Deno.test(`a node is silent about a group that nobody holds while ${name}`, () => {
    const { look } = scene();
    assert.deepEqual(look(1_000, false, changes), []);
    assert.deepEqual(look(60_000, false, changes), []);
    assert.deepEqual(look(60_001, false), [], "its patience begins when it has to speak");
  });
}

const answered: WireVerdict = { kind: "answered", address: "192.0.2.9", hardware: "b" };

const wireCases: readonly (readonly [string, number, WireVerdict | null, boolean, (string | null)[]])[] = [
  ["nothing asked yet", 5_000, null, true, [null]],
  ["silence", 5_000, { kind: "silent" }, true, [null]],
  ["a rival that asks too", 5_000, { kind: "contended", address: "192.0.2.9", hardware: "b" }, true, [
    "b asks for 192.0.2.9 too",
  ]],
  ["nobody can be asked", 5_000, { kind: "blind", reason: "no carrier" }, true, [
    "cannot ask the service network: no carrier",
  ]],
  ["an answer while the lost holder's lease may run", 2_999, answered, true, [
    "not taken: b answers for 192.0.2.9",
  ]],
  ["an answer after it", 3_000, answered, true, ["not taken: b answers for 192.0.2.9", "alarm wire-veto"]],
  ["an answer although nobody was lost", 1_000, answered, false, [
    "not started: b answers for 192.0.2.9",
    "alarm address-in-use",
  ]],
];

for (const [name, ms, verdict, isTakeover, said] of wireCases) {
  Deno.test(`wire alarms: ${name}`, () => assert.deepEqual(scene().hear(ms, verdict, isTakeover), said));
}

Deno.test("a veto is one alarm, however long it lasts, and ends with the claim", () => {
  const { hear, vigil, context } = scene();
  hear(3_000, answered, true);
  assert.equal(hear(4_000, answered, true).length, 1);
  vigil.endWatch(context, "it belongs on n2");
  assert.deepEqual(reports(context.takeEffects()), ["clear wire-veto"]);
});

Deno.test("an address that strangers used is free again when the wire is silent", () => {
  const { hear } = scene();
  hear(1_000, answered, false);
  assert.deepEqual(hear(2_000, { kind: "silent" }, false), [null, "clear address-in-use"]);
});
