/**
 * The three families of errors. What a peer sends is never an error: it is counted, reported and dropped.
 *
 * Messages follow one form: *Cannot do X: what is so now; what would be accepted, or the next step.*
 */

/** The operator asked for something that cannot be meant: all problems at once. Exit code 2 (78 for files). */
export class UsageError extends Error {
  override readonly name = "UsageError";
  constructor(
    readonly problems: readonly string[],
    readonly exitCode: 2 | 78 = 2,
  ) {
    super(problems.join("\n"));
  }
}

/** The machine does not allow or have it. Exit code 69 (unavailable), 77 (permission) or 124 (time limit). */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  constructor(
    message: string,
    readonly exitCode: 69 | 77 | 124 = 69,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** A bug of ours. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
  constructor(message: string) {
    super(`BUG: ${message}`);
  }
}
