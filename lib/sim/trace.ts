/** What happened in a simulation, for people and checkers: reports, faults, and who held each group when. */

import type { ReportLevel } from "../core/effects.ts";

export interface TraceEntry {
  readonly atMs: number;
  readonly node: string;
  readonly kind: "fault" | "report" | "answer" | "holding" | "process";
  readonly code: string;
  /** Of reports. */
  readonly level?: ReportLevel;
  readonly sentence: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export interface HolderInterval {
  readonly fromMs: number;
  /** `null`: until the end of the run. */
  readonly toMs: number | null;
  readonly holders: readonly string[];
}

export class Trace {
  readonly entries: TraceEntry[] = [];
  readonly #holders = new Map<string, HolderInterval[]>();

  add(entry: TraceEntry): void {
    this.entries.push(entry);
  }

  setHolders(group: string, atMs: number, holders: readonly string[]): boolean {
    const intervals = this.#holders.get(group) ?? [];
    this.#holders.set(group, intervals);
    const last = intervals.at(-1);
    if (last !== undefined && last.holders.join() === holders.join()) return false;
    if (last !== undefined) intervals[intervals.length - 1] = { ...last, toMs: atMs };
    intervals.push({ fromMs: atMs, toMs: null, holders });
    return true;
  }

  /** Intervals without a gap, oldest first. */
  holders(group: string): readonly HolderInterval[] {
    return this.#holders.get(group) ?? [];
  }

  /** The last entries as lines of text. */
  transcript(count: number): string {
    return this.entries.slice(-count).map(({ atMs, node, kind, code, sentence }) =>
      `${(atMs / 1000).toFixed(4).padStart(10)} s  ${node.padEnd(4)} ${
        (kind === "report" ? code : kind).padEnd(18)
      } ${sentence}`
    ).join("\n");
  }
}
