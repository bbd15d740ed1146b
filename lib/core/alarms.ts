/**
 * The alarms that are active now. An alarm is raised once per (code, subject), stays until what caused it is over,
 * and is then cleared with a sentence of its own. Nothing is repeated and nothing ends silently.
 */

import type { ReportEffect } from "./effects.ts";
import type { Instant } from "./instant.ts";
import type { AlarmView } from "./view.ts";

interface Alarm {
  readonly code: string;
  readonly subject: string;
  readonly sentence: string;
  readonly since: Instant;
}

export class AlarmBook {
  readonly #active = new Map<string, Alarm>();

  /** The report to emit, `null` when the alarm is active already. */
  raise(
    now: Instant,
    code: string,
    subject: string,
    sentence: string,
    fields: ReportEffect["fields"] = {},
  ): ReportEffect | null {
    const key = `${code} ${subject}`;
    if (this.#active.has(key)) return null;
    this.#active.set(key, { code, subject, sentence, since: now });
    return { kind: "report", level: "alarm", code, sentence, fields: { subject, ...fields } };
  }

  /** The report to emit, `null` when there was no such alarm. */
  clear(now: Instant, code: string, subject: string, sentence: string): ReportEffect | null {
    const key = `${code} ${subject}`;
    const alarm = this.#active.get(key);
    if (alarm === undefined) return null;
    this.#active.delete(key);
    return {
      kind: "report",
      level: "clear",
      code,
      sentence,
      fields: { subject, lastedMs: now - alarm.since },
    };
  }

  isActive(code: string, subject: string): boolean {
    return this.#active.has(`${code} ${subject}`);
  }

  view(now: Instant): AlarmView[] {
    return [...this.#active.values()].map(({ code, subject, sentence, since }) => ({
      code,
      subject,
      sentence,
      sinceMs: now - since,
    }));
  }
}
