/**
 * What became of another node's numbered messages on our links: losses and lateness, from hearing alone. Pure.
 *
 * Every message of a run goes out on every link with the next number, so that a number which one link did not bring
 * was lost there. A number that comes long after a higher one was sent again on request: lost all the same.
 */

import type { Arrival } from "./series.ts";

/** Later than this behind a higher number is a retransmission: real daemons ask for one after 50 ms at the soonest. */
const reorderedMsMax = 40;

/** Numbers of one run that are kept: a week of heartbeats each second. Later ones are left out. */
const numbersMax = 700_000;

/** A link that is heard this much later than the first one was listened to in time, and did not bring anything. */
const openingMs = 2_000;

/** A number this far ahead is no gap but another counter. */
const gapMax = 10_000;

export interface HeardLink {
  readonly node: string;
  readonly link: string;
  /** By number, from the first that any link brought, the same for all links of a node. */
  readonly arrivals: readonly Arrival[];
  /** Between two heartbeats in a row, usually; 0: never two. */
  readonly intervalMs: number;
  /** How much later than usual a heartbeat came after the one before it, at most. */
  readonly lateMsMax: number;
  readonly longestSilenceMs: number;
  readonly durationMs: number;
  readonly copies: number;
  readonly reordered: number;
}

interface Run {
  readonly generation: number;
  readonly first: number;
  highest: number;
  readonly links: Map<string, LinkRun>;
}

interface LinkRun {
  readonly heardAtMs: Map<number, number>;
  highest: number;
  highestAtMs: number;
  /** Between heartbeats whose numbers follow each other. */
  readonly gapsMs: number[];
  longestSilenceMs: number;
  copies: number;
  reordered: number;
}

export class HeardHeartbeats {
  readonly #runs = new Map<string, Run>();
  #isRestarted = false;

  constructor(
    /** Links that are listened to: one that brings nothing is told of too. */
    readonly links: readonly string[],
    readonly nodesMax = 16,
  ) {}

  /** Whether a node's daemon was restarted meanwhile: then only its latest run is told of. */
  get isRestarted(): boolean {
    return this.#isRestarted;
  }

  add(node: string, link: string, generation: number, number: number, isStatus: boolean, atMs: number): void {
    const run = this.#run(node, generation, number);
    if (run === null || number < run.first || number > run.highest + gapMax) return;
    if (number - run.first >= numbersMax) return;
    const heard = run.links.get(link);
    if (heard === undefined) return;
    run.highest = Math.max(run.highest, number);
    if (heard.heardAtMs.has(number)) {
      heard.copies++;
      return;
    }
    if (number < heard.highest) {
      if (atMs - heard.highestAtMs > reorderedMsMax) return;
      heard.reordered++;
      heard.heardAtMs.set(number, atMs);
      return;
    }
    const before = heard.heardAtMs.get(number - 1);
    if (isStatus && before !== undefined) heard.gapsMs.push(atMs - before);
    if (heard.highest >= 0) {
      heard.longestSilenceMs = Math.max(heard.longestSilenceMs, atMs - heard.highestAtMs);
    }
    heard.heardAtMs.set(number, atMs);
    heard.highest = number;
    heard.highestAtMs = atMs;
  }

  /** How many each link brought so far: cheap, unlike `heard`. */
  counts(): { readonly node: string; readonly link: string; readonly count: number }[] {
    return [...this.#runs].flatMap(([node, { links }]) =>
      [...links].map(([link, { heardAtMs }]) => ({ node, link, count: heardAtMs.size }))
    );
  }

  /** As of now, by node, then by link. */
  heard(): HeardLink[] {
    return [...this.#runs].flatMap(([node, run]) => {
      const span = commonSpan(run);
      return [...run.links].map(([link, each]) => told(node, link, span, each));
    });
  }

  #run(node: string, generation: number, number: number): Run | null {
    const known = this.#runs.get(node);
    if (known !== undefined && known.generation >= generation) {
      return known.generation === generation ? known : null;
    }
    if (known === undefined && this.#runs.size >= this.nodesMax) return null;
    if (known !== undefined) this.#isRestarted = true;
    const links = new Map(this.links.map((link) => [link, emptyLink()]));
    const run: Run = { generation, first: number, highest: number, links };
    this.#runs.set(node, run);
    return run;
  }
}

function emptyLink(): LinkRun {
  return {
    heardAtMs: new Map(),
    highest: -1,
    highestAtMs: 0,
    gapsMs: [],
    longestSilenceMs: 0,
    copies: 0,
    reordered: 0,
  };
}

interface Span {
  readonly first: number;
  readonly last: number;
  readonly durationMs: number;
}

/** The ears on the links open and close one after the other: what only some of them could hear is left out. */
function commonSpan({ first, highest, links }: Run): Span {
  const heard = [...links.values()].filter(({ heardAtMs }) => heardAtMs.size > 0);
  const beginnings = heard.map(({ heardAtMs }) => heardAtMs.entries().next().value!);
  const startMs = Math.min(...beginnings.map(([, atMs]) => atMs));
  const firsts = beginnings.filter(([, atMs]) => atMs <= startMs + openingMs).map(([number]) => number);
  const lasts = heard.map((each) => each.highest).filter((each) => each >= highest - 1);
  return {
    first: Math.max(first, ...firsts),
    last: Math.min(highest, ...lasts),
    durationMs: heard.length === 0 ? 0 : Math.max(...heard.map(({ highestAtMs }) => highestAtMs)) - startMs,
  };
}

function told(node: string, link: string, { first, last, durationMs }: Span, each: LinkRun): HeardLink {
  const sorted = [...each.gapsMs].sort((a, b) => a - b);
  const usualMs = sorted[sorted.length >> 1] ?? 0;
  return {
    node,
    link,
    arrivals: Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => each.heardAtMs.has(first + i)),
    intervalMs: usualMs,
    lateMsMax: Math.max(0, (sorted.at(-1) ?? 0) - usualMs),
    longestSilenceMs: each.longestSilenceMs,
    durationMs,
    copies: each.copies,
    reordered: each.reordered,
  };
}
