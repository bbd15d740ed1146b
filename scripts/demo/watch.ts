/**
 * Keeps the latest view of one daemon, as `heartline status --watch` gets it, for as long as the demo runs. A daemon
 * that is gone has no view; one that comes back is found again.
 */

import type { NodeView } from "../../lib/core/view.ts";
import { ControlClient } from "../../lib/runtime/control_client.ts";

/** Too low: load beside the measurement. Too high: the picture lags behind the daemons' own words. */
const INTERVAL_MS = 100;
const RETRY_MS = 50;
const TIMEOUT_MS = 2000;

export class NodeWatch {
  #view: NodeView | null = null;
  #client: ControlClient | null = null;
  #isStopped = false;
  readonly #ended: Promise<void>;

  constructor(readonly socketPath: string) {
    this.#ended = this.#run();
  }

  get view(): NodeView | null {
    return this.#view;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#client?.close();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        this.#client = await ControlClient.connect(this.socketPath, TIMEOUT_MS);
        for await (const { result } of this.#client.watch(INTERVAL_MS)) {
          if (this.#isStopped) break;
          this.#view = result;
        }
      } catch {
        // Nobody listens, or not any more: that is what the picture shows.
      }
      this.#client?.close();
      this.#view = null;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
