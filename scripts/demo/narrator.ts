/**
 * The live account: what the demo does, what the daemons report in their own words, and the picture of the pair;
 * each line with the seconds since the scenario began. Decides only what is worth a line.
 *
 * On a terminal the picture changes in place; elsewhere it is a line of its own whenever it has changed.
 */

import { monotonicMs } from "../../lib/system/clock.ts";
import { printable } from "../../lib/runtime/report_line.ts";
import { wrap } from "../../cli/render/table.ts";
import { drawPicture, type Scene } from "./picture.ts";
import { type Screen, WIDTH } from "./screen.ts";
import { NODES, type Observation, type Stage } from "./stage.ts";
import type { NodeWatch } from "./watch.ts";

/** As often as the daemons are asked: more shows nothing new. */
const TICK_MS = 100;
const REPORT = /^\S+ (alarm|warning|notice|clear|info) [\w-]+: (.*)$/;

const levels = {
  alarm: { word: "ALARM", tone: "bad" },
  warning: { word: "warn", tone: "doubtful" },
  notice: { word: "", tone: "strong" },
  clear: { word: "clear", tone: "good" },
} as const;

export class Narrator {
  #originMs = monotonicMs();
  #told = 0;
  #lastPicture = "";
  #observation: Observation | null = null;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly screen: Screen,
    private readonly stage: Stage,
    private readonly watches: ReadonlyMap<string, NodeWatch>,
  ) {
    this.#timer = setInterval(() => this.tell(), TICK_MS);
  }

  /** A heading; the seconds start again. */
  begin(number: number, title: string, does: string, expects: string): void {
    const { paint } = this.screen;
    this.screen.print(
      "",
      paint.strong(`── ${number}. ${title} ${"─".repeat(Math.max(0, WIDTH - title.length - 7))}`),
      `   does      ${does}`,
      `   expected  ${expects}`,
      "",
    );
    this.#originMs = monotonicMs();
  }

  /** Watches the service from now on, for the picture; `null`: no more. */
  watch(observation: Observation | null): void {
    this.tell();
    this.#observation = observation;
    if (observation === null) this.screen.change("");
  }

  act(sentence: string): void {
    this.tell();
    this.#line(monotonicMs(), ">>>", "", sentence, "strong");
  }

  /** What a command of the operator has printed. */
  answer(line: string): void {
    this.#line(monotonicMs(), "", "", line, "faint");
  }

  /** Says everything that is new. */
  tell(): void {
    const lines = this.stage.lines();
    for (const { node, atMs, line } of lines.slice(this.#told)) {
      const [, level, sentence] = REPORT.exec(line) ?? [];
      // What a daemon tells of its own start is for its log.
      if (level === "info") continue;
      const { word, tone } = levels[level as keyof typeof levels] ?? { word: "?", tone: "bad" };
      this.#line(atMs, node, word, sentence ?? line, tone);
    }
    this.#told = lines.length;
    this.#draw();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.screen.change("");
  }

  #draw(): void {
    if (this.#observation === null) return;
    const seconds = this.#seconds(monotonicMs());
    const picture = drawPicture(this.#scene(this.#observation), this.screen.paint);
    if (this.screen.isLive) this.screen.change(`${seconds}${picture}`);
    else if (picture !== this.#lastPicture) this.screen.print(`${seconds}${picture}`);
    this.#lastPicture = picture;
  }

  #scene(observation: Observation): Scene {
    const holders = observation.holders();
    const { lastAnswerAtMs } = observation;
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

  #line(
    atMs: number,
    who: string,
    word: string,
    sentence: string,
    tone: "bad" | "doubtful" | "strong" | "good" | "faint",
  ): void {
    const { paint } = this.screen;
    const indent = 22;
    const [first = "", ...rest] = wrap(printable(sentence), WIDTH - indent);
    const say = who === "" ? paint.faint : (text: string) => tone === "strong" ? text : paint[tone](text);
    this.screen.print(
      `${this.#seconds(atMs)}  ${paint.strong(who.padEnd(6))} ${say(word.padEnd(5))} ${say(first)}`,
      ...rest.map((text) => " ".repeat(indent) + say(text)),
    );
  }

  /** Seven columns. */
  #seconds(atMs: number): string {
    return ((atMs - this.#originMs) / 1000).toFixed(2).padStart(7);
  }
}
