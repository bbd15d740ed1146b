/** What a drill looks like on a terminal and in JSON: the plan, the countdown, the report. */

import { describeCut, type DrillPlan } from "../../../lib/drill/plan.ts";
import type { Paths } from "../../../lib/drill/guards.ts";
import type { Ended, Progress } from "../../../lib/drill/rehearsal.ts";
import type { Account, Judgement, Verdict } from "../../../lib/drill/verdict.ts";
import { renderAge } from "../../render/ages.ts";
import type { Paint } from "../../render/paint.ts";
import { elide, renderTable, wrap } from "../../render/table.ts";

const schema = 1;

export function planLines(
  plan: DrillPlan,
  paths: Paths,
  notes: readonly string[],
  width: number,
): string[] {
  const left = { left: "Still connected", last: "Last path", unknown: "Other paths unknown" }[paths.kind];
  return [
    `Drill ${plan.id}: ${plan.link} for ${renderAge(plan.durationMs)}: ${describeCut(plan)}`,
    `${left}: ${paths.sentence}`,
    ...notes.map((note) => `Note: ${note}`),
  ].flatMap((line) => hanging(line, width));
}

/** Within the width, with what does not fit indented below. */
function hanging(text: string, width: number, indent = 2): string[] {
  return wrap(text, width - indent).map((line, index) => index === 0 ? line : " ".repeat(indent) + line);
}

/** One line that is rewritten on a terminal; elsewhere a line for each phase. */
export class DrillScreen {
  #phase: Progress["phase"] | null = null;
  #isOpen = false;

  constructor(
    readonly isWanted: boolean,
    readonly stream: NodeJS.WriteStream,
    readonly plan: DrillPlan,
  ) {}

  show(progress: Progress): void {
    if (!this.isWanted) return;
    if (this.stream.isTTY) {
      this.#isOpen = true;
      this.stream.write(
        `\r${elide(progressLine(progress, this.plan), (this.stream.columns || 80) - 1)}\x1b[K`,
      );
    } else if (progress.phase !== this.#phase) {
      this.stream.write(`${progressLine(progress, this.plan)}\n`);
    }
    this.#phase = progress.phase;
  }

  close(): void {
    if (this.#isOpen) this.stream.write("\r\x1b[K");
    this.#isOpen = false;
  }
}

function progressLine({ phase, leftMs, sightings, alarms, dropped }: Progress, { link }: DrillPlan): string {
  const left = `${Math.ceil(leftMs / 1000)} s`;
  const doing = {
    before: "Looking who holds what",
    cut: `${link} is cut, ${left} left (Ctrl-C undoes)`,
    after: `${link} is whole again, watching`,
  }[phase];
  const holders = sightings.map(({ address, rounds }) =>
    `${address}: ${rounds.length === 0 ? "…" : rounds.at(-1)!.holders.join(" AND ") || "no answer"}`
  );
  return [
    doing,
    ...holders,
    ...(alarms.length > 0 ? [`alarms: ${alarms.join(", ")}`] : []),
    ...(phase === "cut" && dropped > 0 ? [`${dropped} dropped`] : []),
  ].join(" | ");
}

export function reportLines(
  account: Account,
  how: Ended["how"],
  { verdict, findings }: Judgement,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string[] {
  const marks: Record<Verdict, { text: string; paint: (text: string) => string }> = {
    ok: { text: "ok", paint: paint.good },
    bad: { text: "NOT OK", paint: paint.bad },
    unclear: { text: "unclear", paint: paint.doubtful },
  };
  const rows = findings.map(({ what, expected, observed, verdict }) => [
    marks[verdict],
    what,
    `${observed} (expected: ${expected})`,
  ]);
  const alarms = account.daemon?.alarms ?? [];
  const cutMs = account.healedAtMs - account.cutAtMs;
  const end = { whole: "", interrupted: ", interrupted", undone: ", undone by another command" }[how];
  const sentence = {
    passed: "PASSED: everything was as expected",
    failed: "FAILED: not everything was as expected",
    unclear: "UNCLEAR: not everything could be seen from here",
  }[verdict];
  const tint = { passed: paint.good, failed: paint.bad, unclear: paint.doubtful }[verdict];
  return [
    `${account.plan.link} was cut for ${renderAge(cutMs)}${end}; the rules are removed`,
    "",
    ...renderTable(rows, { width, indent: 0, widthsMax: [7, 28] }),
    ...(alarms.length > 0 ? ["", "The daemon here said:"] : []),
    ...alarms.flatMap(({ isRaised, code, sentence }) =>
      hanging(`${isRaised ? "alarm" : "clear"} ${code}: ${sentence}`, width - 2).map((line) => `  ${line}`)
    ),
    "",
    tint(sentence),
  ];
}

export function reportJson(
  account: Account,
  how: Ended["how"],
  { verdict, findings }: Judgement,
  notes: readonly string[],
) {
  const { plan, paths, cutAtMs, healedAtMs, endAtMs, dropped, sightings, daemon } = account;
  return {
    schema,
    verdict,
    how,
    plan,
    paths,
    notes,
    cutForMs: Math.round(healedAtMs - cutAtMs),
    watchedAfterMs: Math.round(endAtMs - healedAtMs),
    dropped,
    findings,
    alarms: daemon?.alarms ?? [],
    holders: sightings.map(({ address, device, blindness, rounds, repliesAtMs }) => ({
      address,
      device,
      blindness,
      replies: repliesAtMs.length,
      changes: rounds.filter(({ holders }, index) =>
        index === 0 || holders.join() !== rounds[index - 1]!.holders.join()
      ).map(({ atMs, holders }) => ({ atMs: Math.round(atMs - cutAtMs), holders })),
    })),
  };
}
