/**
 * Asks over a link that belongs to the daemons alone, a TCP connection or a serial line: the daemon of this machine
 * sends each question over its own medium, and times the answer. What the way to the daemon costs is not counted.
 */

import type { Answer } from "../../../lib/measure/series.ts";
import type { HeardElsewhere, Prober } from "../../../lib/probe/prober.ts";
import { ControlClient } from "../../../lib/runtime/control_client.ts";
import type { ProbeResult } from "../../../lib/runtime/control_protocol.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import { heardWindow, sessionOf } from "../../../lib/wire/probe_message.ts";

export interface DaemonLinkSettings {
  readonly socket: string;
  /** As the daemon calls it: `tcp:eth1`, `/dev/ttyS0`. */
  readonly link: string;
  readonly device: string | null;
  readonly to: string | null;
  readonly measurement: Uint8Array;
  /** Number of the path in it. */
  readonly path: number;
  readonly waitMs: number;
  readonly caveat: string | null;
  readonly heardElsewhere: HeardElsewhere;
}

const connectMsMax = 2_000;

export class DaemonLinkProber implements Prober {
  readonly kind = "link";
  readonly description: string;
  readonly device: string | null;
  readonly caveat: string | null;
  readonly #session: string;
  #client: ControlClient | null = null;
  #answered: (answer: Answer, from: string) => void = () => {};

  constructor(readonly settings: DaemonLinkSettings) {
    const { link, to, device, caveat, measurement, path } = settings;
    this.description = `${link}${to === null ? "" : ` ${to}`}`;
    this.device = device;
    this.caveat = caveat;
    this.#session = sessionOf(measurement, path);
  }

  async open(answered: (answer: Answer, from: string) => void): Promise<void> {
    this.#answered = answered;
    this.#client = await ControlClient.connect(this.settings.socket, connectMsMax);
  }

  ask(number: number): boolean {
    const { link, to, waitMs } = this.settings;
    const askedAtMs = monotonicMs();
    this.#client!.probe(link, { session: this.#session, number, to }, waitMs).then(({ result }) => {
      if (result !== null) this.#take(result, askedAtMs);
    }, () => {}); // an answer that does not come counts as lost, whatever kept it away
    return true;
  }

  close(): Promise<void> {
    this.#client?.close();
    return Promise.resolve();
  }

  #take({ roundTripMs, answer }: ProbeResult, askedAtMs: number): void {
    const { number, node, heard, heardAtMs, copies, reordered, unanswered } = answer;
    for (const [path, count] of answer.others) this.settings.heardElsewhere(path, count);
    const far = {
      heard: (asked: number) => number - asked < heardWindow ? heard[number - asked] ?? null : null,
      ...{ heardAtMs, copies, reordered, unanswered },
    };
    this.#answered({ number, atMs: askedAtMs + roundTripMs, far }, node);
  }
}
