/**
 * Looks everywhere at once and collects what is found within the window. It judges nothing. It always ends: a source
 * that does not come back in time is left behind and told of as unseen.
 */

import { SystemError } from "../system/errno.ts";
import type { Evidence, SourceName, Unseen } from "./evidence.ts";
import { hostEvidence, readHost } from "./host.ts";
import type { CheckQuestion } from "./question.ts";
import { type GatherEvidence, type Look, type Source, sources, type Window } from "./sources.ts";

/** How much later than its window a source may come back. Too low loses evidence on a busy machine. */
const graceMs = 300;
/** For what is asked on this machine itself, unless said: a daemon that does not answer must not hold us up. */
const localMsDefault = 500;

/**
 * Sources end this much before the window does: the kernel takes 10 ms and more to close each packet socket (it waits
 * until no processor is about to hand it a packet), and a check must not last longer than it was said to.
 */
const closingMs = 40;
const closingShareMax = 0.15;

export interface GatherSeams {
  readonly askDaemon: Look["askDaemon"];
  /** All of them unless given. */
  readonly sources?: readonly Source[];
}

export async function gather(question: CheckQuestion, seams: GatherSeams): Promise<Evidence[]> {
  const host = readHost(question);
  const limitMs = Math.max(question.windowMs, question.localMs ?? localMsDefault) + graceMs;
  const asked = (seams.sources ?? sources).filter((source) => source.isAsked(question));
  const gatherers = await Promise.all(asked.map((source) => source.load()));
  // Not before everything is loaded: on a busy machine that alone can take as long as a short window.
  const window = openWindow(question.windowMs - Math.min(closingMs, question.windowMs * closingShareMax));
  const look: Look = { question, host, window, askDaemon: seams.askDaemon };
  const found = await Promise.all(
    asked.map((source, index) => withinLimit(source.name, gatherers[index]!, look, limitMs)),
  );
  const after = asked.length === 0 ? host : readHost(question);
  return [...hostEvidence(question, host, after), ...found.flat()];
}

async function withinLimit(
  source: SourceName,
  gatherer: GatherEvidence,
  look: Look,
  limitMs: number,
): Promise<readonly Evidence[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<readonly Evidence[]>((resolve) => {
    const reason = `it did not come back within ${limitMs} ms`;
    timer = setTimeout(() => resolve([unseen(source, source, reason)]), limitMs);
  });
  const work = async () => {
    try {
      return await gatherer(look);
    } catch (error) {
      return [unseenBy(source, source, error)];
    }
  };
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

export function openWindow(ms: number): Window {
  const start = performance.now();
  const passedMs = () => performance.now() - start;
  return {
    ms,
    passedMs,
    pause: (waitMs, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", end);
          resolve();
        };
        const timer = setTimeout(end, Math.max(0, Math.min(waitMs, ms - passedMs())));
        signal?.addEventListener("abort", end);
      }),
  };
}

export function unseen(
  source: SourceName,
  subject: string,
  reason: string,
  capability: string | null = null,
): Unseen {
  return { kind: "unseen", source, subject, ageMs: 0, reason, capability };
}

/** The piece for an error: where a permission is missing, the capability is named. */
export function unseenBy(source: SourceName, subject: string, error: unknown): Unseen {
  const reason = error instanceof Error ? error.message : String(error);
  const isRefused = error instanceof SystemError && error.exitCode === 77;
  const capability = /CAP_[A-Z_]+/.exec(reason)?.[0] ?? null;
  return unseen(source, subject, reason, isRefused ? capability : null);
}
