/**
 * The pseudo members `ping`, `ping6` and `ping_group` (protocol reference 11): hosts that are asked by ICMP echo and
 * are up as long as one of a member's addresses has answered within deadping. For the eyes of an operator: they hold
 * nothing, never count as nodes, and whether this node is cut off is judged by arbiters, not by them.
 */

import type { Context } from "../context.ts";
import { after, type Instant } from "../instant.ts";
import type { PingMemberSettings } from "../settings.ts";
import type { PingMemberView } from "../view.ts";

interface Member {
  readonly settings: PingMemberSettings;
  /** When the question was put that was answered last. */
  answeredAt: Instant | null;
  state: PingMemberView["state"];
}

export class PingMembers {
  readonly #members: readonly Member[];
  #startedAt: Instant | null = null;

  constructor(settings: readonly PingMemberSettings[], readonly deadPingMs: number) {
    this.#members = settings.map((each) => ({ settings: each, answeredAt: null, state: "unknown" }));
  }

  /** One of the member's addresses has answered what was asked at an instant. */
  hear(name: string, askedAt: Instant): void {
    const member = this.#members.find(({ settings }) => settings.name === name);
    if (member === undefined) return;
    if (member.answeredAt === null || askedAt > member.answeredAt) member.answeredAt = askedAt;
  }

  tick(context: Context): void {
    this.#startedAt ??= context.now;
    for (const member of this.#members) {
      const { settings: { name, targets }, state } = member;
      const isUp = member.answeredAt !== null && context.now < after(member.answeredAt, this.deadPingMs);
      if (isUp && state !== "up") {
        member.state = "up";
        if (state === "unknown") {
          context.report("notice", "ping-up", `ping node ${name} answers`, { member: name });
        }
        context.clear("ping-dead", name, `ping node ${name} answers again`);
      } else if (!isUp && state !== "dead" && context.now >= this.#deathAt(member)!) {
        member.state = "dead";
        const what = `ping node ${name} is dead: no answer from ${
          targets.join(", ")
        } for ${this.deadPingMs} ms`;
        context.raise("ping-dead", name, what, { member: name });
      }
    }
  }

  addDeadlines(instants: (Instant | null)[]): void {
    for (const member of this.#members) if (member.state !== "dead") instants.push(this.#deathAt(member));
  }

  view(now: Instant): PingMemberView[] {
    return this.#members.map(({ settings: { name, targets }, answeredAt, state }) => ({
      name,
      targets,
      state,
      answeredAgoMs: answeredAt === null ? null : now - answeredAt,
    }));
  }

  #deathAt({ answeredAt }: Member): Instant | null {
    const from = answeredAt ?? this.#startedAt;
    return from === null ? null : after(from, this.deadPingMs);
  }
}
