/**
 * The alarms that are active now. An alarm is raised once per (code, subject), stays until what caused it is over,
 * and is then cleared with a sentence of its own. Nothing ends silently, and nothing is repeated but on request: an alarm
 * that an operator can overlook without harm for now, such as a lost backup link, is said again from time to time.
 */

import type { AlarmCode } from "./codes.ts";
import type { ReportEffect } from "./effects.ts";
import type { Instant } from "./instant.ts";
import type { AlarmView } from "./view.ts";

interface Alarm<Code> {
  readonly code: Code;
  readonly subject: string;
  readonly sentence: string;
  readonly fields: ReportEffect["fields"];
  readonly since: Instant;
  saidAt: Instant;
}

/** Others than the core may keep a book of alarms of their own, with other codes. */
export class AlarmBook<Code extends string = AlarmCode> {
  /** By code, then by subject. Every step clears what is not there, so the answer "none of this code" must be quick. */
  readonly #active = new Map<Code, Map<string, Alarm<Code>>>();

  /** The report to emit, `null` when the alarm is active already. */
  raise(
    now: Instant,
    code: Code,
    subject: string,
    sentence: string,
    fields: ReportEffect["fields"] = {},
  ): ReportEffect | null {
    if (this.isActive(code, subject)) return null;
    const ofCode = this.#active.get(code) ?? new Map<string, Alarm<Code>>();
    const told = { subject, ...fields };
    const alarm = { code, subject, sentence, fields: told, since: now, saidAt: now };
    this.#active.set(code, ofCode.set(subject, alarm));
    return { kind: "report", level: "alarm", code, sentence, fields: told };
  }

  /** The report that says an active alarm again; `null`: there is none, or it was said less than `everyMs` ago. */
  repeat(now: Instant, code: Code, subject: string, everyMs: number): ReportEffect | null {
    const alarm = this.#active.get(code)?.get(subject);
    if (alarm === undefined || everyMs === 0 || now - alarm.saidAt < everyMs) return null;
    alarm.saidAt = now;
    const sinceMs = now - alarm.since;
    const sentence = `${alarm.sentence}; still so after ${Math.round(sinceMs / 1000)} s`;
    return { kind: "report", level: "alarm", code, sentence, fields: { ...alarm.fields, sinceMs } };
  }

  /** The report to emit, `null` when there was no such alarm. */
  clear(now: Instant, code: Code, subject: string, sentence: string): ReportEffect | null {
    const ofCode = this.#active.get(code);
    const alarm = ofCode?.get(subject);
    if (ofCode === undefined || alarm === undefined) return null;
    ofCode.delete(subject);
    if (ofCode.size === 0) this.#active.delete(code);
    return {
      kind: "report",
      level: "clear",
      code,
      sentence,
      fields: { subject, lastedMs: now - alarm.since },
    };
  }

  get isEmpty(): boolean {
    return this.#active.size === 0;
  }

  isActive(code: Code, subject: string): boolean {
    return this.#active.get(code)?.has(subject) === true;
  }

  /** In the order in which they were raised. */
  view(now: Instant): AlarmView[] {
    const all = [...this.#active.values()].flatMap((ofCode) => [...ofCode.values()]);
    return all.sort((one, other) => one.since - other.since).map(({ code, subject, sentence, since }) => ({
      code,
      subject,
      sentence,
      sinceMs: now - since,
    }));
  }
}
