/**
 * What strangers, noise and replays can do to a node: be counted. Packets take the whole way, through the messenger
 * into a node that holds a group; its view must stay the same but for the counters.
 */

import assert from "node:assert/strict";
import type { SendEffect } from "../../lib/core/effects.ts";
import type { Input } from "../../lib/core/inputs.ts";
import { ClusterNode } from "../../lib/core/node.ts";
import { Prng } from "../../lib/core/prng.ts";
import type { AuthenticationKey, Settings } from "../../lib/core/settings.ts";
import type { NodeView } from "../../lib/core/view.ts";
import { Messenger } from "../../lib/runtime/messenger.ts";
import { packetBytesMax } from "../../lib/wire/limits.ts";
import { statementField } from "../../lib/wire/statement.ts";
import { writeStatement } from "../../lib/wire/statement_codec.ts";
import { FakeMedium } from "../runtime/fake_medium.ts";
import { drawFrom, mutate } from "../wire/mutation.ts";
import { at, outcome, settings as clusterOf } from "./samples.ts";

const seed = 20_260_131;
const uuid = new Uint8Array(16).fill(7);

function withKeys(base: Settings, ...keys: AuthenticationKey[]): Settings {
  return { ...base, authentication: { signWith: keys[0]!.index, keys, allowCrc: false } };
}

const key: AuthenticationKey = { index: 1, method: "sha1", secret: "right" };
const groups = [{ name: "web", resources: [{ leaseSeconds: 1 }], monitorIntervalMs: 1_000_000 }];
const settings = withKeys(clusterOf({ nodes: ["n1", "n2"], links: 1, groups }), key);

function nodeOf(node: string, generation: number): ClusterNode {
  const identity = { node, generation, version: "1", settingsHash: "same", keptEpochs: {}, unprotected: [] };
  return new ClusterNode(settings, identity, new Prng(generation));
}

/** Packs messages as n2 would, or as somebody who pretends to be it. */
function packer(generation = 5, as = settings, node = "n2"): Messenger {
  return new Messenger(as, { node, generation, uuid }, [], () => {});
}

interface Scene {
  readonly n1: ClusterNode;
  readonly medium: FakeMedium;
  /** All that n2 sent so far, and n1 heard. */
  readonly heard: readonly { effect: SendEffect; packet: Uint8Array }[];
  /** The latest heartbeat of n2 has this number. */
  readonly lastSequence: number;
  /** Hands everything that arrived since to n1. Returns the effects' kinds and how many messages were among it. */
  deliver(): { kinds: string[]; messages: number };
}

/** n1 holds the group and hears n2; both have sent some dozens of heartbeats. */
async function scene(): Promise<Scene> {
  const medium = new FakeMedium("hb0", "any", packetBytesMax);
  let inputs: Input[] = [];
  const messenger = new Messenger(settings, { node: "n1", generation: 4, uuid }, [medium], (input) => {
    inputs.push(input);
  });
  await messenger.open();
  const [n1, n2] = [nodeOf("n1", 4), nodeOf("n2", 5)];
  const toN2: Input[] = [];
  const n2Medium = new FakeMedium("hb0");
  const n2Messenger = new Messenger(settings, { node: "n2", generation: 5, uuid }, [n2Medium], (input) => {
    toN2.push(input);
  });
  await n2Messenger.open();
  const heard: { effect: SendEffect; packet: Uint8Array }[] = [];
  let nowMs = 0;
  const step = (node: ClusterNode, input: Input) => {
    for (const effect of node.step(at(nowMs), input)) {
      if (effect.kind === "send" && node === n1) n2Medium.arrive(messenger.pack(effect));
      if (effect.kind === "send" && node === n2) {
        const packet = n2Messenger.pack(effect);
        heard.push({ effect, packet });
        medium.arrive(packet);
      }
      const own = node === n1 ? inputs : toN2;
      if (effect.kind === "run") {
        own.push({
          kind: "outcome",
          id: effect.id,
          outcome: outcome(effect.operation === "start" ? "running" : "stopped"),
        });
      }
      if (effect.kind === "ask-wire") {
        own.push({ kind: "outcome", id: effect.id, outcome: { kind: "wire", verdict: { kind: "silent" } } });
      }
    }
  };
  step(n1, { kind: "start" });
  step(n2, { kind: "start" });
  for (; nowMs < 5_000; nowMs += 20) {
    for (const input of inputs.splice(0)) step(n1, input);
    for (const input of toN2.splice(0)) step(n2, input);
    step(n1, { kind: "wake" });
    step(n2, { kind: "wake" });
  }
  for (const input of inputs.splice(0)) step(n1, input);
  step(n1, { kind: "wake" });
  assert.equal(n1.view().groups[0]!.state, "running");
  assert.equal(n1.view().peers[0]!.state, "alive");
  return {
    n1,
    medium,
    heard,
    lastSequence: heard.at(-1)!.effect.sequence!,
    deliver() {
      messenger.flush();
      const arrived = inputs;
      inputs = [];
      const kinds = arrived.flatMap((input) => n1.step(at(nowMs), input).map((effect) => effect.kind));
      return { kinds, messages: arrived.filter(({ kind }) => kind === "message").length };
    },
  };
}

function withoutCounters(view: NodeView): unknown {
  const peers = view.peers.map((peer) => ({
    ...peer,
    links: peer.links.map(({ medium, state, heardAgoMs }) => ({ medium, state, heardAgoMs })),
  }));
  return { ...view, peers, refused: {} };
}

function total(refused: Readonly<Record<string, number>>): number {
  return Object.values(refused).reduce((sum, count) => sum + count, 0);
}

type Draw = (limit: number) => number;
type Hostile = (scene: Scene, draw: Draw, index: number) => Uint8Array;

/** A heartbeat that n2 never sent: newer than all, and it says goodbye. */
function forgery({ heard, lastSequence }: Scene, index: number): SendEffect {
  const { effect } = heard.at(-1)!;
  const leaving = { ...effect.statement!, phase: "leaving" as const };
  return { ...effect, sequence: lastSequence + 1 + index, statement: leaving };
}

const otherSecret = packer(6, withKeys(settings, { ...key, secret: "wrong" }));
const otherIndex = packer(6, withKeys(settings, { ...key, index: 2 }));
const otherMethod = packer(6, withKeys(settings, { index: 1, method: "md5", secret: "right" }));
const rightKey = packer();
const earlierRun = packer(4);
const stranger = packer(6, settings, "n9");
const namesake = packer(9, settings, "n1");

/** Name, how many, packet, reasons that may be counted (`null`: any), and whether every packet must be counted. */
const floods: readonly {
  name: string;
  count: number;
  make: Hostile;
  reasons: readonly string[] | null;
  allRefused: boolean;
}[] = [
  {
    name: "damaged copies",
    count: 5_000,
    make: ({ heard }, draw) =>
      mutate(heard[draw(heard.length)]!.packet, heard[draw(heard.length)]!.packet, draw),
    reasons: null,
    allRefused: false,
  },
  {
    name: "random bytes",
    count: 2_000,
    make: (_, draw) => Uint8Array.from({ length: draw(300) }, () => draw(256)),
    reasons: ["unknown-encoding", "malformed"],
    allRefused: true,
  },
  {
    name: "forgeries with another secret",
    count: 500,
    make: (scene, _, index) => otherSecret.pack(forgery(scene, index)),
    reasons: ["wrong-key"],
    allRefused: true,
  },
  {
    name: "forgeries with an unknown key",
    count: 500,
    make: (scene, _, index) => otherIndex.pack(forgery(scene, index)),
    reasons: ["unknown-key"],
    allRefused: true,
  },
  {
    name: "forgeries by another method",
    count: 500,
    make: (scene, _, index) => otherMethod.pack(forgery(scene, index)),
    reasons: ["wrong-key"],
    allRefused: true,
  },
  {
    name: "forgeries without their trailer",
    count: 500,
    make: (scene, _, index) => {
      const packet = rightKey.pack(forgery(scene, index));
      return packet.subarray(0, packet.lastIndexOf(",".charCodeAt(0), packet.length - 2) - 30);
    },
    reasons: ["malformed", "no-authentication", "wrong-key"],
    allRefused: true,
  },
  {
    name: "replays of this run, in any order",
    count: 3_000,
    make: ({ heard }, draw) => heard[draw(heard.length)]!.packet,
    reasons: [],
    allRefused: false,
  },
  {
    name: "replays of an earlier run",
    count: 1_000,
    make: (scene, _, index) => earlierRun.pack(forgery(scene, index)),
    reasons: ["old-generation"],
    allRefused: true,
  },
  {
    name: "messages of a node that is not configured",
    count: 500,
    make: (scene, _, index) => stranger.pack(forgery(scene, index)),
    reasons: ["unknown-node"],
    allRefused: true,
  },
  {
    name: "messages of another machine with our name",
    count: 500,
    make: (scene, _, index) => namesake.pack(forgery(scene, index)),
    reasons: ["own-message"],
    allRefused: true,
  },
  {
    name: "oversized packets",
    count: 50,
    make: (scene, draw) => {
      const packet = new Uint8Array(packetBytesMax + 1 + draw(1_000));
      packet.set(scene.heard[0]!.packet);
      return packet;
    },
    reasons: ["too-large"],
    allRefused: true,
  },
  {
    name: "rightly signed heartbeats with a damaged statement",
    count: 2_000,
    make: (scene, draw, index) => {
      return rightKey.pack(withText(forgery(scene, index), (text) => damaged(text, draw)));
    },
    reasons: ["bad-statement"],
    allRefused: true,
  },
];

/** The statement as a text that was tampered with. */
function withText(effect: SendEffect, change: (text: string) => string): SendEffect {
  const text = change(writeStatement(effect.statement!));
  return { ...effect, statement: null, fields: [...effect.fields, [statementField, text]] };
}

/** Always wrong: a text that is no JSON any more, or a member that is missing or out of range. */
function damaged(value: string, draw: Draw): string {
  const ways = [
    () => value.slice(0, draw(value.length - 1)),
    () => value.replace('"dialect":1', `"dialect":${2 + draw(100)}`),
    () => value.replace('"phase"', '"phase' + draw(10) + '"'),
    () => value.replace('"leaving"', '"gone"'),
    () => value.replace(/"epoch":\d+/, `"epoch":-${1 + draw(9)}`),
    () => value.replace(/"state":"\w+"/, '"state":"fine"'),
    () => value.replace(/"settledForMs":\d+/, '"settledForMs":1.5'),
    () => "[".repeat(1 + draw(5_000)),
    () => "null",
  ];
  return ways[draw(ways.length)]!();
}

for (const { name, count, make, reasons, allRefused } of floods) {
  Deno.test(`${count} ${name} change nothing but counters`, async () => {
    const stage = await scene();
    const before = withoutCounters(stage.n1.view());
    const refusedBefore = total(stage.n1.view().refused);
    const draw = drawFrom(seed);
    let [copies, kinds]: [number, Set<string>] = [0, new Set()];
    for (let index = 0; index < count; index++) {
      stage.medium.arrive(make(stage, draw, index));
      if (index % 100 < 99 && index < count - 1) continue;
      const delivered = stage.deliver();
      copies += delivered.messages;
      for (const kind of delivered.kinds) kinds.add(kind);
      assert.deepEqual(withoutCounters(stage.n1.view()), before, `seed ${seed}, by packet ${index}`);
    }
    const { refused } = stage.n1.view();
    const counted = total(refused) - refusedBefore;
    assert.deepEqual([...kinds].filter((kind) => kind !== "report"), [], "nothing is done about them");
    if (reasons !== null) {
      for (const reason of Object.keys(refused)) assert.ok(reasons.includes(reason), `${reason} was counted`);
    }
    if (allRefused) assert.equal(counted, count);
    else assert.equal(counted + copies, count, "each is a copy or counted as refused");
  });
}

Deno.test("the same forgery with the right key is believed: the floods above could have changed something", async () => {
  const stage = await scene();
  stage.medium.arrive(rightKey.pack(forgery(stage, 0)));
  stage.deliver();
  assert.equal(stage.n1.view().peers[0]!.state, "left");
});

Deno.test("nothing of a malformed statement reaches the node, although its heartbeat is genuine and new", async () => {
  const stage = await scene();
  const effect = forgery(stage, 0);
  const other = withText(effect, (text) => text.replace('"dialect":1', '"dialect":2'));
  assert.equal(stage.medium.arrive(rightKey.pack(other)), false);
  assert.deepEqual(stage.deliver(), { kinds: ["report"], messages: 0 });
  assert.deepEqual(stage.n1.view().refused, { "bad-statement": 1 });
  // Its number was not used up: the genuine statement of that number is still news.
  stage.medium.arrive(rightKey.pack(forgery(stage, 0)));
  stage.deliver();
  assert.equal(stage.n1.view().peers[0]!.state, "left");
});
