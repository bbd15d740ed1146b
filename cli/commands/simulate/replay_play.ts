/** Reads a journal, has its run again, and prints it; answers the exit code. */

import { readFileSync } from "node:fs";
import process from "node:process";
import type { Settings } from "../../../lib/core/settings.ts";
import { EnvironmentError, UsageError } from "../../../lib/errors.ts";
import { withChanges } from "../../../lib/sim/replay/changes.ts";
import type { Decision } from "../../../lib/sim/replay/decisions.ts";
import { type JournalRun, runsOf } from "../../../lib/sim/replay/journal.ts";
import { recordedDecisions, type Replay, replay } from "../../../lib/sim/replay/replay.ts";
import { firstDifferenceMs } from "../../../lib/sim/replay/side_by_side.ts";
import { fromTheMiddle, type Middle, type WhatIf, whatIf } from "../../../lib/sim/replay/what_if.ts";
import { version } from "../../../lib/version.ts";
import { printJson } from "../../control.ts";
import { renderAge } from "../../render/ages.ts";
import { type Paint, paintFor } from "../../render/paint.ts";
import { wrap } from "../../render/table.ts";

export interface ReplayOptions {
  readonly run?: number | undefined;
  readonly runs?: true | undefined;
  readonly set: readonly string[];
  readonly all?: true | undefined;
  readonly json?: true | undefined;
}

const schema = 1;

/** More would scroll the answer away; `--all` prints everything. */
const rowsMax = 200;

export async function playAgain(file: string, options: ReplayOptions): Promise<number> {
  const runs = runsOf(linesOf(file));
  if (runs.length === 0) throw new EnvironmentError(`Cannot replay "${file}": it holds no run of a daemon`);
  if (options.runs === true) {
    if (options.json) printJson({ schema, runs: runs.map(summary) });
    else runs.forEach((run, index) => console.log(`${index + 1}  ${titleOf(run)}`));
    return 0;
  }
  const run = choose(runs, options.run, file);
  if (run.isHeadless) return playMiddle(run, options);
  const again = replay(run);
  const wish = wishOf(run, options.set);
  const other = wish === null ? null : whatIf(run, again, wish.settings);
  const isExact = again.divergence === null && run.gap === "";
  if (options.json) printJson(jsonOf(run, exactJson(run, again), again.decisions, other, wish));
  else {
    const out = new Printer(run, await paintFor(process.stdout), options.all === true);
    out.exactness(again);
    if (other === null) out.decisions(again.decisions);
    else out.sideBySide(other, wish!);
  }
  return isExact ? 0 : 1;
}

/** The beginning was rotated away: what the daemon wrote of its decisions is shown, and a what-if starts later. */
async function playMiddle(run: JournalRun, options: ReplayOptions): Promise<number> {
  const middle = fromTheMiddle(run);
  const wish = wishOf(run, options.set);
  const other = wish === null ? null : later(whatIf(run, middle, wish.settings), middle);
  const decisions = recordedDecisions(run);
  if (options.json) {
    const { recorded, met } = middle;
    printJson(
      jsonOf(run, { isExact: false, steps: run.steps.length, recorded, met }, decisions, other, wish),
    );
  } else {
    const out = new Printer(run, await paintFor(process.stdout), options.all === true);
    out.middle(middle);
    if (other === null) out.decisions(decisions);
    else out.sideBySide(other, wish!);
  }
  return 1;
}

/** Without what the core did while it caught up. */
function later(other: WhatIf, { fromMs }: Middle): WhatIf {
  const rows = other.rows.filter(({ decision }) => decision.now >= fromMs);
  const assumptions = other.assumptions.filter(({ atMs }) => atMs >= fromMs);
  return { ...other, rows, assumptions, divergedAtMs: firstDifferenceMs(rows) };
}

/** The older file first; that there is none is usual. */
function linesOf(file: string): string[] {
  return [`${file}.1`, file].flatMap((path) => {
    try {
      return readFileSync(path, "utf8").split("\n");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (path !== file && code === "ENOENT") return [];
      const isDenied = code === "EACCES" || code === "EPERM";
      const reason = code === "ENOENT"
        ? "there is no such file; name the daemon's journal (process.journal, by default in its state directory)"
        : isDenied
        ? "permission denied; run as root"
        : `${code}`;
      throw new EnvironmentError(`Cannot read the journal "${path}": ${reason}`, isDenied ? 77 : 69, {
        cause: error,
      });
    }
  });
}

function choose(runs: readonly JournalRun[], number: number | undefined, file: string): JournalRun {
  const run = number === undefined ? runs.at(-1) : runs[number - 1];
  if (run !== undefined) return run;
  throw new UsageError([
    `"${file}" holds ${runs.length} runs, so there is no run ${number}; --runs lists them`,
  ]);
}

/** Other settings, as they were asked for. */
interface Wish {
  readonly words: readonly string[];
  readonly settings: Settings;
  readonly premises: readonly string[];
}

function wishOf(run: JournalRun, words: readonly string[]): Wish | null {
  if (words.length === 0) return null;
  const result = withChanges(run.header.settings, words);
  if (!result.ok) throw new UsageError(result.problems);
  return { words, settings: result.settings, premises: result.premises };
}

function lastsMs({ header, steps }: JournalRun): number {
  return (steps.at(-1)?.now ?? header.now) - header.now;
}

function titleOf(run: JournalRun): string {
  const { identity, at, version } = run.header;
  const end = run.isHeadless ? ", beginning rotated away" : run.gap === "" ? "" : `, then a gap: ${run.gap}`;
  return `${identity.node}, from ${at} for ${renderAge(lastsMs(run))}, ` +
    `${run.steps.length} steps, heartline ${version}${end}`;
}

class Printer {
  readonly #startMs: number;

  constructor(readonly run: JournalRun, readonly paint: Paint, readonly isAll: boolean) {
    this.#startMs = Date.parse(run.header.at) - run.header.now;
  }

  exactness({ steps, compared, divergence }: Replay): void {
    const { header, gap } = this.run;
    this.#say(titleOf(this.run));
    if (divergence === null) {
      this.#say(
        `Replayed ${steps} steps, ${compared} of them with effects: exactly as the daemon decided`,
        this.paint.good,
      );
    } else {
      const why = header.version === version
        ? "this is a mistake in heartline: please report it with the journal"
        : `it was written by heartline ${header.version}, this is ${version}`;
      this.#say(
        `NOT EXACT from ${this.#time(divergence.now)} on (step ${divergence.index + 1} of ${steps}): ${why}`,
        this.paint.bad,
      );
    }
    if (gap !== "") this.#say(`Replayed up to a gap: ${gap}`, this.paint.doubtful);
    console.log();
  }

  middle({ recorded, met }: Middle): void {
    this.#say(titleOf(this.run));
    const sentence =
      "NOT EXACT: the beginning of this run has been rotated away (process.journal.size gives it more room). Shown " +
      `is what the daemon wrote of its decisions; a core that starts in the middle makes ${met} of ${recorded} of them.`;
    this.#say(sentence, this.paint.doubtful);
    console.log();
  }

  decisions(decisions: readonly Decision[]): void {
    const wanted = decisions.filter((decision) => this.#isWanted(decision));
    this.#skipped(wanted.length);
    for (const decision of wanted.slice(this.#from(wanted.length))) this.#line("", decision);
  }

  sideBySide({ rows, divergedAtMs, assumptions }: WhatIf, { words, premises }: Wish): void {
    const wanted = rows.filter(({ decision }) => this.#isWanted(decision));
    console.log(`= both   - only as recorded   + only with ${words.join(", ")}`);
    for (const premise of premises) this.#say(`Assumed: ${premise}`);
    this.#skipped(wanted.length);
    let isSaid = false;
    for (const { side, decision } of wanted.slice(this.#from(wanted.length))) {
      if (!isSaid && divergedAtMs !== null && decision.now >= divergedAtMs) {
        isSaid = true;
        console.log(
          this.paint.doubtful("--- from here on the two differ: what follows rests on assumptions"),
        );
      }
      this.#line({ both: "= ", recorded: "- ", other: "+ " }[side], decision);
    }
    console.log();
    if (divergedAtMs === null) {
      return console.log(`With ${words.join(", ")} every decision would have been the same`);
    }
    const sentence =
      `Sound up to ${this.#time(divergedAtMs)}. From there on the other nodes would have heard other ` +
      "messages from this one and answered otherwise, which nobody recorded. It is assumed that they say what they " +
      "said, and:";
    this.#say(sentence);
    for (
      const { atMs, sentence } of assumptions.filter(({ atMs }) => atMs >= divergedAtMs - 1000).slice(0, 20)
    ) {
      for (const line of wrap(`${this.#time(atMs)}  ${sentence}`, this.#width - 2)) console.log(`  ${line}`);
    }
  }

  #say(sentence: string, paint: (text: string) => string = (text) => text): void {
    for (const line of wrap(sentence, this.#width)) console.log(paint(line));
  }

  get #width(): number {
    return process.stdout.columns || 80;
  }

  #isWanted({ level }: Decision): boolean {
    return this.isAll || level !== "info";
  }

  #from(count: number): number {
    return this.isAll ? 0 : Math.max(0, count - rowsMax);
  }

  #skipped(count: number): void {
    const skipped = this.#from(count);
    if (skipped > 0) console.log(`(${skipped} earlier decisions are left out; --all prints them)`);
  }

  #line(mark: string, { now, level, sentence }: Decision): void {
    const begin = `${mark}${this.#time(now)}  ${level === "action" ? "->" : level} `;
    const tint = { alarm: this.paint.bad, warning: this.paint.doubtful, clear: this.paint.good } as const;
    const lines = wrap(`${begin}${sentence}`, this.#width - 4);
    const paint = level in tint ? tint[level as keyof typeof tint] : (text: string) => text;
    lines.forEach((line, index) => console.log(paint(index === 0 ? line : `    ${line}`)));
  }

  /** Of the day, UTC. */
  #time(now: number): string {
    return new Date(this.#startMs + now).toISOString().slice(11, 23);
  }
}

function summary(run: JournalRun) {
  const { identity, at, version, seed } = run.header;
  return {
    node: identity.node,
    generation: identity.generation,
    at,
    version,
    seed,
    steps: run.steps.length,
    lastsMs: lastsMs(run),
    isHeadless: run.isHeadless,
    gap: run.gap,
  };
}

function exactJson(run: JournalRun, { steps, compared, divergence }: Replay) {
  return {
    isExact: divergence === null,
    steps,
    compared,
    divergence: divergence === null ? null : {
      step: divergence.index + 1,
      atMs: divergence.now - run.header.now,
    },
  };
}

function jsonOf(
  run: JournalRun,
  replay: object,
  decisions: readonly Decision[],
  other: WhatIf | null,
  wish: Wish | null,
) {
  const whatIf = other === null ? {} : {
    whatIf: {
      set: wish!.words,
      premises: wish!.premises,
      divergedAtMs: other.divergedAtMs === null ? null : other.divergedAtMs - run.header.now,
      rows: other.rows.map(({ side, decision }) => ({ side, ...relative(decision, run) })),
      assumptions: other.assumptions.map(({ atMs, sentence }) => ({ atMs: atMs - run.header.now, sentence })),
    },
  };
  return {
    schema,
    run: summary(run),
    replay,
    decisions: decisions.map((decision) => relative(decision, run)),
    ...whatIf,
  };
}

function relative({ now, level, key, sentence }: Decision, run: JournalRun) {
  return { atMs: now - run.header.now, level, key, sentence };
}
