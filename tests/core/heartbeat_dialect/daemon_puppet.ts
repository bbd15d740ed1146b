/**
 * A cluster node n1 whose peer n2 is a Heartbeat daemon that says what a test lets it say, in virtual time. Words are
 * written as in a transcript: `resource local 1 standby` is rsc_hold, isstable and info; with `-` for isstable it only
 * adds.
 */

import assert from "node:assert/strict";
import type { Effect } from "../../../lib/core/effects.ts";
import { ClusterNode } from "../../../lib/core/node.ts";
import type { ClusterOutline, GroupOutline } from "../../../lib/sim/cluster_settings.ts";
import { stringField } from "../../../lib/wire/message.ts";
import { HandWired } from "../hand_wired.ts";
import { settings, timing } from "../samples.ts";

/** `web` belongs on n1, `db` on n2. */
const groups: readonly GroupOutline[] = [
  {
    name: "web",
    nodes: ["n1", "n2"],
    failback: { kind: "off" },
    duplicateCheckMs: 0,
    resources: [{ leaseSeconds: 1 }],
  },
  {
    name: "db",
    nodes: ["n2", "n1"],
    failback: { kind: "off" },
    duplicateCheckMs: 0,
    resources: [{ leaseSeconds: 1 }],
  },
];

/** Groups without an address: no wire protects them. */
export function scripts(failback: NonNullable<GroupOutline["failback"]>): readonly GroupOutline[] {
  return [
    { name: "web", nodes: ["n1", "n2"], failback, resources: ["script"] },
    { name: "db", nodes: ["n2", "n1"], failback, resources: ["script"] },
  ];
}

export class DaemonPuppet {
  readonly wired: HandWired;
  generation = 10;
  #sequence = 0;
  /** Status of its next heartbeat, if not `active`. */
  #status: string | null = "up";
  #read = 0;

  constructor(outline: Partial<ClusterOutline> = {}) {
    this.wired = new HandWired(settings({ nodes: ["n1", "n2"], groups, ...outline }));
    this.wired.start("n1");
  }

  get node(): ClusterNode {
    return this.wired.nodes.get("n1")!;
  }

  /** Both are stable and each holds its own. */
  static settled(outline: Partial<ClusterOutline> = {}): DaemonPuppet {
    const puppet = new DaemonPuppet(outline);
    puppet.beats(200);
    puppet.says("starting");
    puppet.says("resource none 0");
    puppet.beats(600);
    puppet.says("resource local 1");
    puppet.beats(400);
    assert.equal(puppet.states(), "web running, db stopped; n2: web stopped, db running");
    puppet.heard();
    return puppet;
  }

  /** Time passes while its heartbeats come. */
  beats(forMs: number): void {
    const endMs = this.wired.nowMs + forMs;
    while (this.wired.nowMs < endMs) {
      this.#send("status", [["st", this.#status ?? "active"], ["dt", timing.deadTimeMs.toString(16)]]);
      this.#status = null;
      this.wired.run(Math.min(endMs, this.wired.nowMs + timing.keepaliveMs));
    }
  }

  /** Time passes without any. */
  silence(forMs: number): void {
    this.wired.run(this.wired.nowMs + forMs);
  }

  /**
   * Its daemon was started again: a new generation, and nothing known of the run before. `isHeard`: its heartbeats are
   * heard from the first one on.
   */
  restarts(isHeard = true): void {
    this.generation++;
    this.#sequence = isHeard ? 0 : 100;
    this.#status = isHeard ? "up" : null;
  }

  /** A message is lost, and does not come though it is asked for. Returns its number. */
  loses(): number {
    return ++this.#sequence;
  }

  /** `sequence`: of a message that was lost and comes now. */
  says(words: string, sequence?: number): void {
    const [type, holds, third, info] = words.split(" ") as [string, string?, string?, string?];
    const subject = type === "stonith" ? "node" : type.startsWith("ip-request") ? "ipaddr" : "rsc_hold";
    const fields: [string, string][] = holds === undefined ? [] : [[subject, holds]];
    if (type === "stonith") fields.push(["result", third!]);
    if (type === "ip-request-resp") fields.push(["ok", "OK"]);
    if (type === "resource" && third !== "-") fields.push(["rtype", "full"], ["isstable", third!]);
    if (type === "ask_resources") fields.push(["info", third!]);
    if (info !== undefined) fields.push(["info", info]);
    this.#send(type, fields, sequence);
  }

  /** What n1 has said since the last look, besides its heartbeats. */
  heard(): string[] {
    const said = this.wired.log.slice(this.#read).map(({ effect }) => effect);
    this.#read = this.wired.log.length;
    return said.flatMap((effect) => inWords(effect) ?? []);
  }

  /** What n1 has of each group, and what it believes of n2. */
  states(): string {
    const { keepers, roster } = this.node;
    const own = keepers.map(({ name, machine }) => `${name} ${machine.state}`).join(", ");
    const peer = roster.peer("n2")!;
    return `${own}; n2: ${keepers.map(({ name }) => `${name} ${peer.group(name).state}`).join(", ")}`;
  }

  #send(type: string, fields: readonly (readonly [string, string])[], sequence = ++this.#sequence): void {
    if (!this.wired.nodes.has("n1")) return;
    this.wired.step("n1", {
      kind: "message",
      medium: "hb0",
      message: {
        type,
        source: "n2",
        destination: null,
        generation: this.generation,
        sequence,
        timestamp: 1,
        message: {
          fields: [stringField("t", type), ...fields.map(([name, value]) => stringField(name, value))],
        },
      },
      statement: null,
    });
  }
}

function inWords(effect: Effect): string | null {
  if (effect.kind !== "send" || effect.type === "status" || effect.type.startsWith("NS_")) return null;
  const field = (name: string) => effect.fields.find(([each]) => each === name)?.[1];
  const values = ["rsc_hold", "ipaddr", "isstable", "info", "node", "result", "nodelist"].map(field);
  return [effect.type, ...values.filter((value) => value !== undefined)].join(" ");
}
