/** What the exit codes of LSB scripts and OCF agents mean, in words for people. */

/** Of every operation but `status`. */
export const lsbMeanings: ReadonlyMap<number, string> = new Map([
  [1, "generic error"],
  [2, "wrong arguments"],
  [3, "unimplemented"],
  [4, "not permitted"],
  [5, "not installed"],
  [6, "not configured"],
  [7, "not running"],
]);

export const lsbStatusMeanings: ReadonlyMap<number, string> = new Map([
  [0, "running"],
  [1, "dead, and its pid file exists"],
  [2, "dead, and its lock file exists"],
  [3, "stopped"],
  [4, "unknown"],
]);

export const ocfMeanings: ReadonlyMap<number, string> = new Map([
  [0, "ok"],
  [1, "generic error"],
  [2, "wrong arguments on this machine"],
  [3, "unimplemented"],
  [4, "not permitted"],
  [5, "not installed"],
  [6, "wrongly configured on every machine"],
  [7, "not running"],
  [8, "running as promoted"],
  [9, "failed as promoted"],
  [190, "running, degraded"],
  [191, "running as promoted, degraded"],
]);
