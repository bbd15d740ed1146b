/** Dead after a fixed silence, as Heartbeat's `deadtime`. What the daemon does. */

import { after, type Instant } from "../instant.ts";
import type { Detector } from "./detector.ts";

export class FixedDetector implements Detector {
  #last: Instant | null = null;

  constructor(readonly deadTimeMs: number) {}

  heard(at: Instant): void {
    this.#last = at;
  }

  deadline(): Instant | null {
    return this.#last === null ? null : after(this.#last, this.deadTimeMs);
  }
}
