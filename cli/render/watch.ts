/**
 * `status --watch`: on a terminal one screen that is redrawn in place, elsewhere one block (or one JSON line) a view.
 * A daemon that goes away does not end it: the last view stays, with its age, until one answers again. Must leave
 * the terminal as it was, however it ends.
 */

import process from "node:process";
import type { NodeView } from "../../lib/core/view.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { ControlClient } from "../../lib/runtime/control_client.ts";
import { controlLimits, controlSchema } from "../../lib/runtime/control_protocol.ts";
import { findings } from "./findings.ts";
import { type Paint, paintFor, plainPaint } from "./paint.ts";
import { renderStatus } from "./status.ts";
import { wrap } from "./table.ts";

const enter = "\x1b[?1049h\x1b[?25l";
const leave = "\x1b[?25h\x1b[?1049l";
/** Terminals that know synchronised updates show the frame at once; others ignore this. */
const beginFrame = "\x1b[?2026h\x1b[H";
const endFrame = "\x1b[J\x1b[?2026l";

/** Until SIGINT or SIGTERM; then the exit code is that of the last view. */
export async function watchStatus(
  socket: string,
  intervalMs: number,
  timeoutMs: number,
  isJson: boolean,
): Promise<void> {
  const { watchIntervalMsMin: min, watchIntervalMsMax: max } = controlLimits;
  const interval = Math.min(Math.max(intervalMs, min), max);
  const screen = process.stdout.isTTY && !isJson ? new Screen(await paintFor(process.stdout)) : null;
  const stop = new AbortController();
  const end = () => stop.abort();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  let last: { readonly view: NodeView; readonly takenAt: number } | null = null;
  try {
    while (!stop.signal.aborted) {
      try {
        for await (const { view, ageMs } of views(socket, interval, timeoutMs, stop.signal)) {
          last = { view, takenAt: performance.now() - ageMs };
          if (screen !== null) screen.draw(view, ageMs, null);
          else if (isJson) {
            process.stdout.write(
              JSON.stringify({ schema: controlSchema, ageMs, findings: findings(view), view }) + "\n",
            );
          } else {process.stdout.write(
              renderStatus(view, ageMs, { width: 80, paint: plainPaint }).join("\n") + "\n\n",
            );}
        }
      } catch (error) {
        if (screen === null || last === null || !(error instanceof EnvironmentError)) throw error;
        screen.draw(last.view, performance.now() - last.takenAt, error.message);
        await pause(interval, stop.signal);
      }
    }
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
    screen?.close();
  }
  if (last !== null && findings(last.view).length > 0) process.exitCode = 1;
}

async function* views(socket: string, intervalMs: number, timeoutMs: number, signal: AbortSignal) {
  const client = await ControlClient.connect(socket, timeoutMs);
  const close = () => client.close();
  signal.addEventListener("abort", close);
  try {
    for await (const { result, ageMs } of client.watch(intervalMs)) yield { view: result, ageMs };
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", close);
    client.close();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** The terminal while we draw on it. Lines are overwritten, never cleared first: nothing flickers. */
class Screen {
  #last: string[] = [];
  constructor(private readonly paint: Paint) {
    process.stdout.write(enter);
  }

  draw(view: NodeView, ageMs: number, trouble: string | null): void {
    const width = process.stdout.columns || 80;
    const height = process.stdout.rows ?? 24;
    const style = { width, paint: this.paint };
    const lines = renderStatus(view, ageMs, style);
    if (trouble !== null) lines.unshift(...wrap(`*** ${trouble}`, width).map(this.paint.bad), "");
    this.#last = lines;
    const shown = lines.length < height ? lines : [
      ...lines.slice(0, height - 2),
      this.paint.faint(`${lines.length - height + 2} more lines: make the window taller`),
    ];
    process.stdout.write(beginFrame + shown.map((line) => `${line}\x1b[K\r\n`).join("") + endFrame);
  }

  /** The last frame stays readable after the end. */
  close(): void {
    process.stdout.write(leave + this.#last.map((line) => `${line}\n`).join(""));
  }
}
