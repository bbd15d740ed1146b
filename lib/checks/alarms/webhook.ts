/**
 * Tells an alarm to a web server: the report as JSON by POST, tried again with growing pauses while the time lasts.
 * What the server refuses for good (4xx) is not tried again; redirections are not followed, since a report must not
 * be carried to somebody else.
 */

import type { Channel } from "./message.ts";

/** First pause between two attempts, doubled each time. Shorter hits a server that restarts; longer wastes the time. */
const pauseMsMin = 200;
/** Of its length, at random: many checks must not knock in step. */
const jitter = 0.5;
/** One attempt's time: a server that hangs must leave room for another one that a balancer may choose. */
const attemptMsMax = 3000;

type Attempt =
  | { readonly kind: "taken" }
  | { readonly kind: "refused" | "failed"; readonly reason: string };

export function webhookChannel(url: string, random: () => number = Math.random): Channel {
  return async (message, limitMs) => {
    const body = JSON.stringify({
      host: message.host,
      occasion: message.occasion,
      ...asObject(message.json),
    });
    const endsAt = performance.now() + limitMs;
    const leftMs = () => endsAt - performance.now();
    for (let count = 1, pauseMs = pauseMsMin;; count++, pauseMs *= 2) {
      const attempt = await post(url, body, Math.min(attemptMsMax, leftMs()));
      if (attempt.kind === "taken") return null;
      const waitMs = pauseMs * (1 + jitter * (random() - 0.5));
      if (attempt.kind === "refused" || leftMs() <= waitMs) {
        return `Cannot tell "${url}": ${attempt.reason} (${count} attempt${count === 1 ? "" : "s"})`;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  };
}

async function post(url: string, body: string, limitMs: number): Promise<Attempt> {
  const { request } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  return await new Promise((resolve) => {
    const headers = {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": new TextEncoder().encode(body).length,
      "User-Agent": "heartline",
    };
    const sent = request(url, { method: "POST", headers, agent: false }, (response) => {
      const code = response.statusCode ?? 0;
      response.on("error", () => {});
      response.destroy();
      const reason = `it answered HTTP ${code}`;
      const isForGood = code >= 300 && code < 500 && code !== 408 && code !== 429;
      end(code >= 200 && code < 300 ? { kind: "taken" } : { kind: isForGood ? "refused" : "failed", reason });
    });
    const end = (attempt: Attempt) => {
      clearTimeout(timer);
      resolve(attempt);
    };
    // Also ends a name lookup that hangs.
    const timer = setTimeout(() => {
      sent.destroy();
      end({ kind: "failed", reason: `no answer within ${Math.round(limitMs)} ms` });
    }, Math.max(1, limitMs));
    sent.on(
      "error",
      (error: Error & { code?: string }) => end({ kind: "failed", reason: error.code ?? error.message }),
    );
    sent.end(body);
  });
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : { report: value };
}
