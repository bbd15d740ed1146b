/**
 * Asks the services of the node that should hold the addresses, at its own addresses or where a flag names: a TCP
 * connection, or a whole HTTP request. Several attempts overlap, because the kernel repeats a lost SYN only after a second.
 */

import { connect } from "node:net";
import { canonicalAddress } from "../../system/packets/ip_address.ts";
import type { Evidence, ServiceAnswer } from "../evidence.ts";
import { type CheckedService, serviceText } from "../question.ts";
import type { Look } from "../sources.ts";

const attemptsMax = 5;

type Outcome = Pick<ServiceAnswer, "outcome" | "detail">;

/** Better news first: one good answer is what counts, and a refusal says more than silence. */
const rank: Record<ServiceAnswer["outcome"], number> = { answers: 3, fails: 2, refuses: 1, silent: 0 };

export async function gatherServices({ question, window }: Look): Promise<Evidence[]> {
  const owner = question.role === "primary" ? "standby" : "primary";
  const addresses = question.nodes.filter((node) => question.role === "either" || node.role === owner)
    .flatMap((node) => node.addresses);
  const asked = question.services.flatMap((service): CheckedService[] =>
    service.kind === "tcp" && service.address === null
      ? addresses.map((address) => ({ ...service, address }))
      : [service]
  );
  return await Promise.all(asked.map((service) => askRepeatedly(service, window)));
}

async function askRepeatedly(
  service: CheckedService,
  window: Look["window"],
): Promise<ServiceAnswer> {
  const address = service.kind === "tcp" ? service.address : hostOf(service.url);
  const name = service.kind === "http" && address === null ? new URL(service.url).hostname : null;
  const names = name === null ? [] : resolvedBy(name, window);
  const ending = new AbortController();
  let best: Outcome = { outcome: "silent", detail: `no answer within ${window.ms} ms` };
  const attempt = async () => {
    const ask = service.kind === "tcp" ? askTcp(service, ending.signal) : askHttp(service, ending.signal);
    const outcome = await ask;
    if (rank[outcome.outcome] > rank[best.outcome]) best = outcome;
    if (best.outcome === "answers") ending.abort();
  };
  const startedMs = window.passedMs();
  const underWay: Promise<void>[] = [];
  while (underWay.length < attemptsMax && !ending.signal.aborted) {
    underWay.push(attempt());
    await window.pause((window.ms * 0.8) / attemptsMax, ending.signal);
  }
  await window.pause(window.ms, ending.signal);
  const tookMs = Math.round((window.passedMs() - startedMs) * 10) / 10;
  ending.abort();
  await Promise.all(underWay);
  const attempts = underWay.length;
  const subject = serviceText(service);
  return {
    kind: "service",
    source: "services",
    subject,
    ageMs: 0,
    service,
    address,
    resolved: await names,
    attempts,
    tookMs,
    ...best,
  };
}

function askTcp(service: Extract<CheckedService, { kind: "tcp" }>, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: service.address!, port: service.port });
    const end = (outcome: Outcome) => {
      signal.removeEventListener("abort", giveUp);
      socket.destroy();
      resolve(outcome);
    };
    const giveUp = () => end({ outcome: "silent", detail: "no answer" });
    signal.addEventListener("abort", giveUp);
    socket.on("connect", () => end({ outcome: "answers", detail: "accepts connections" }));
    socket.on("error", (error) => end(failure(error)));
  });
}

/** The whole answer's head must come; its body is not read. Certificates are not judged: it is about life only. */
async function askHttp(
  service: Extract<CheckedService, { kind: "http" }>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { request } = service.url.startsWith("https:")
    ? await import("node:https")
    : await import("node:http");
  return await new Promise((resolve) => {
    const asked = request(service.url, { signal, rejectUnauthorized: false, agent: false }, (response) => {
      const code = response.statusCode ?? 0;
      const isExpected = code >= service.statusMin && code <= service.statusMax;
      response.on("error", () => {}); // the end of our interest, not of the service
      response.destroy();
      resolve({ outcome: isExpected ? "answers" : "fails", detail: `HTTP ${code}` });
    });
    asked.on("error", (error) => resolve(failure(error)));
    asked.end();
  });
}

function failure(error: Error & { code?: string }): Outcome {
  switch (error.code) {
    case "ECONNREFUSED":
    case "ECONNRESET":
      return {
        outcome: "refuses",
        detail: error.code === "ECONNRESET" ? "connection reset" : "connection refused",
      };
    case "ABORT_ERR":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return { outcome: "silent", detail: error.code === "ABORT_ERR" ? "no answer" : error.code };
    default:
      return { outcome: "silent", detail: error.code ?? error.message };
  }
}

/** The address in a URL; `null` where it holds a name. */
function hostOf(url: string): string | null {
  return canonicalAddress(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}

/** What a name stands for, as far as it is known when the window closes: it decides whose service answered. */
async function resolvedBy(name: string, window: Look["window"]): Promise<string[]> {
  const { lookup } = await import("node:dns/promises");
  const ending = new AbortController();
  const late = window.pause(window.ms, ending.signal).then(() => []);
  const found = await Promise.race([lookup(name, { all: true }).catch(() => []), late]);
  ending.abort();
  return [...new Set(found.flatMap(({ address }) => canonicalAddress(address.split("%")[0]!) ?? []))];
}
