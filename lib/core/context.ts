/**
 * What one step of the core writes its results to. The parts of the core share it, so that all effects of a step
 * come out in the order in which they were decided.
 */

import type { Effect, EffectId, ReportEffect, ReportLevel } from "./effects.ts";
import type { AlarmBook } from "./alarms.ts";
import type { AlarmCode, ReportCode } from "./codes.ts";
import type { Instant } from "./instant.ts";

export class Context {
  now: Instant;
  effects: Effect[] = [];
  /** Something that our statement tells has changed: a heartbeat goes out at the end of the step. */
  isStatementDirty = false;
  /** Groups whose addresses were taken off at once and that have not been started since: nothing renews these. */
  readonly dropped = new Set<string>();
  #lastId = 0;

  constructor(readonly alarms: AlarmBook, now: Instant) {
    this.now = now;
  }

  emit(effect: Effect): void {
    if (effect.kind === "drop") this.dropped.add(effect.group);
    if (effect.kind === "run" && effect.operation === "start") this.dropped.delete(effect.group);
    this.effects.push(effect);
  }

  /** Nothing was decided in this step so far. */
  get isIdle(): boolean {
    return this.effects.length === 0 && !this.isStatementDirty;
  }

  newId(): EffectId {
    return ++this.#lastId as EffectId;
  }

  report(level: ReportLevel, code: ReportCode, sentence: string, fields: ReportEffect["fields"] = {}): void {
    this.emit({ kind: "report", level, code, sentence, fields });
  }

  raise(code: AlarmCode, subject: string, sentence: string, fields: ReportEffect["fields"] = {}): void {
    const report = this.alarms.raise(this.now, code, subject, sentence, fields);
    if (report !== null) this.emit(report);
  }

  clear(code: AlarmCode, subject: string, sentence: string): void {
    const report = this.alarms.clear(this.now, code, subject, sentence);
    if (report !== null) this.emit(report);
  }

  /** Says an active alarm again when it was said last `everyMs` ago; 0: never. */
  repeat(code: AlarmCode, subject: string, everyMs: number): void {
    const report = this.alarms.repeat(this.now, code, subject, everyMs);
    if (report !== null) this.emit(report);
  }

  /** Hands over the effects of the step that ends. */
  takeEffects(): Effect[] {
    const effects = this.effects;
    this.effects = [];
    return effects;
  }
}
