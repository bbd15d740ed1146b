/**
 * The live account: what the demo does, what the daemons report in their own words, and the picture of the pair;
 * each line with the seconds since the scenario began. Decides only what is worth a line.
 *
 * On a terminal the picture changes in place; elsewhere it is a line of its own whenever it has changed.
 */

import { monotonicMs } from "../../lib/system/clock.ts";
import { printable } from "../../lib/runtime/report_line.ts";
import { drawPicture, type Scene } from "./picture.ts";
import type { Scenario } from "./scenarios.ts";
import type { Screen } from "./screen.ts";
import type { HolderChange } from "../lab/timeline.ts";
import { NODES, type ServiceWatch, type Stage } from "./stages/stage.ts";
import { hang, type Tone, WIDTH } from "./text.ts";
import type { NodeWatch } from "./watch.ts";

/** As often as the daemons are asked: more shows nothing new. */
const TICK_MS = 100;
/** For a person, to read what comes; a file needs none. */
const READING_MS = 2000;
const SENTENCE_COLUMN = 22;
const REPORT = /^\S+ (alarm|warning|notice|clear|info) [\w-]+: (.*)$/;

const levels: Readonly<Record<string, readonly [word: string, tone: Tone]>> = {
  alarm: ["ALARM", "bad"],
  warning: ["warn", "doubtful"],
  notice: ["", "plain"],
  clear: ["clear", "good"],
};

export class Narrator {
  #originMs = monotonicMs();
  /** How much of what the daemons said, and of who held the service, has been told. */
  #told = { lines: 0, changes: 0 };
  #lastPicture = "";
  #service: ServiceWatch | null = null;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly screen: Screen,
    private readonly stage: Stage,
    private readonly watches: ReadonlyMap<string, NodeWatch>,
  ) {
    this.#timer = setInterval(() => this.tell(), TICK_MS);
  }

  /** A heading, and on a terminal the time to read it. */
  async announce(number: number, { title, does, expects }: Scenario): Promise<void> {
    const { paint } = this.screen;
    const heading = `── ${number}. ${title} `;
    this.screen.print(
      "",
      paint("strong", heading + "─".repeat(WIDTH - heading.length)),
      ...hang(`   done      ${does}`, 13),
      ...hang(`   expected  ${expects}`, 13),
      "",
    );
    if (this.screen.isLive) await new Promise((resolve) => setTimeout(resolve, READING_MS));
  }

  skip(number: number, { title }: Scenario, reason: string): void {
    this.screen.print("", ...hang(`── ${number}. ${title}: not played: ${reason}`, 6));
  }

  /** The seconds start again, and the service is watched for the picture; `null`: no more. */
  watch(service: ServiceWatch | null): void {
    this.tell();
    this.#service = service;
    // Who holds it at first is in the picture.
    this.#told.changes = service?.timeline().changes.length ?? 0;
    this.#originMs = monotonicMs();
    this.#lastPicture = "";
    if (service === null) this.screen.change("");
    else this.#draw();
  }

  act(sentence: string): void {
    this.tell();
    this.#line(monotonicMs(), ">>>", "", sentence, "strong");
  }

  /** The demo's own remark. */
  note(sentence: string): void {
    this.screen.print(
      "",
      ...hang(`   ${sentence}`, 3).map((line) => this.screen.paint("doubtful", line)),
      "",
    );
  }

  /** What a command of the operator has printed. */
  answer(line: string): void {
    this.tell();
    this.#line(monotonicMs(), "", "", line, "faint");
  }

  /** Says everything that is new, in order of time. */
  tell(): void {
    const lines = this.stage.lines();
    const changes = this.#service?.timeline().changes ?? [];
    const news: Told[] = [
      ...lines.slice(this.#told.lines).flatMap(report),
      ...changes.slice(this.#told.changes).map(holderChange),
    ];
    this.#told = { lines: lines.length, changes: changes.length };
    news.sort((a, b) => a.atMs - b.atMs);
    for (const { atMs, who, word, sentence, tone } of news) this.#line(atMs, who, word, sentence, tone);
    this.#draw();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.screen.change("");
  }

  #draw(): void {
    if (this.#service === null) return;
    const picture = drawPicture(this.#scene(this.#service), this.screen.paint);
    const line = `${this.#seconds(monotonicMs())}  ${picture}`;
    if (this.screen.isLive) this.screen.change(line);
    else if (picture !== this.#lastPicture) this.screen.print(line);
    this.#lastPicture = picture;
  }

  #scene(service: ServiceWatch): Scene {
    const holders = service.holders();
    const { lastAnswerAtMs } = service;
    return {
      nodes: NODES.map((name) => ({
        name,
        isRunning: this.stage.daemon(name) === "running",
        holds: holders.includes(name),
        view: this.watches.get(name)?.view ?? null,
      })),
      links: this.stage.links,
      unansweredMs: lastAnswerAtMs === null ? null : monotonicMs() - lastAnswerAtMs,
    };
  }

  #line(atMs: number, who: string, word: string, sentence: string, tone: Tone): void {
    const before = `${this.#seconds(atMs)}  ${who.padEnd(6)} ${word.padEnd(5)} `;
    const lines = hang(before + printable(sentence), SENTENCE_COLUMN);
    this.screen.print(...lines.map((line) => this.screen.paint(tone, line)));
  }

  /** Seven columns. */
  #seconds(atMs: number): string {
    return ((atMs - this.#originMs) / 1000).toFixed(2).padStart(7);
  }
}

interface Told {
  readonly atMs: number;
  readonly who: string;
  readonly word: string;
  readonly sentence: string;
  readonly tone: Tone;
}

/** A daemon's own words. What it tells of its start is for its log; what is no report is a surprise. */
function report(heard: ReturnType<Stage["lines"]>[number]): Told[] {
  const { node: who, atMs, line } = heard;
  const [, level = "", sentence] = REPORT.exec(line) ?? [];
  if (level === "info") return [];
  const [word, tone] = levels[level] ?? ["?", "bad"];
  return [{ atMs, who, word, sentence: sentence ?? line, tone }];
}

/** Who really holds the service, whatever the daemons believe. */
function holderChange({ atMs, holders }: HolderChange): Told {
  const sentence = holders.join(" AND ") || "nobody";
  return { atMs, who: "holder", word: "", sentence, tone: holders.length === 1 ? "strong" : "bad" };
}
