/**
 * A third party that tells whether we, rather than the peer, are the one that is cut off. An arbiter only ever
 * *proves* reachability; that proof is missing is judged by the core, which knows the time.
 */

export interface Arbiter {
  readonly name: string;
  /**
   * Starts asking, every `intervalMs`, and calls `answered` for each proof, with the instant at which it was asked for:
   * the answer may have waited for us. Rejects where it can never work.
   */
  open(intervalMs: number, answered: (target: string, askedAtMs: number) => void): Promise<void>;
  close(): Promise<void>;
}
