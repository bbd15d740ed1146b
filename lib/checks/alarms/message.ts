/** What every channel tells, made once. Pure. */

import type { Severity } from "../verdict_table.ts";
import type { Occasion } from "./memory.ts";

export interface AlarmMessage {
  readonly severity: Severity;
  readonly occasion: Occasion;
  /** One line. */
  readonly headline: string;
  /** The whole report as text. */
  readonly text: string;
  /** The whole report as `--json` prints it. */
  readonly json: unknown;
  /** Facts for programs, in the environment of `--on-critical`: `HEARTLINE_VIP`… */
  readonly variables: Readonly<Record<string, string>>;
  /** Of this machine. */
  readonly host: string;
}

/** How a channel ended: `null`, or why the message did not get through. */
export type Delivery = string | null;

/** A way out. It ends within the limit, whatever happens, and never rejects. */
export type Channel = (message: AlarmMessage, limitMs: number) => Promise<Delivery>;
