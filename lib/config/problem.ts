/**
 * What is wrong with a configuration, and where. Parsers collect every problem of a text before anything is refused;
 * they never throw and never stop at the first one. Messages never contain a secret.
 */

/**
 * error: nothing starts. warning: it would start, and somebody would regret it. note: worth knowing, nothing to do;
 * a configuration with notes only is clean.
 */
export type Severity = "error" | "warning" | "note";

/** Where in which file. Lines and columns count from 1; line 0 means the file as a whole. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export interface Problem extends Place {
  readonly severity: Severity;
  /** Stable short name: `unknown-key`, `bad-duration`… */
  readonly code: string;
  /** What is so. */
  readonly message: string;
  /** What would be accepted, or the next step. */
  readonly hint?: string;
}

/** A stretch of a text, in UTF-16 units from its begin. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** A value together with the text it was read from. */
export interface Placed<T> {
  readonly value: T;
  readonly span: Span;
}

/** The answer of the small parsers, which know no file: a value, or what is wrong and what would be accepted. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly hint: string };

export function isError(problem: Problem): boolean {
  return problem.severity === "error";
}

/** Builds a problem; the only place that knows about the optional hint. */
export function problem(
  severity: Severity,
  place: Place,
  code: string,
  message: string,
  hint?: string,
): Problem {
  const { file, line, column, length } = place;
  return { severity, file, line, column, length, code, message, ...(hint === undefined ? {} : { hint }) };
}

/** How a check tells what it found. */
export type Say = (severity: Severity, place: Place, code: string, message: string, hint?: string) => void;

/** Collects the problems of one text. */
export class Findings {
  readonly problems: Problem[] = [];
  /** Offset of the first character of each line. */
  readonly #lineStarts: readonly number[];

  constructor(
    readonly file: string,
    readonly text: string,
  ) {
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
  }

  error(span: Span | null, code: string, message: string, hint?: string): void {
    this.problems.push(problem("error", this.place(span), code, message, hint));
  }

  warning(span: Span | null, code: string, message: string, hint?: string): void {
    this.problems.push(problem("warning", this.place(span), code, message, hint));
  }

  note(span: Span | null, code: string, message: string, hint?: string): void {
    this.problems.push(problem("note", this.place(span), code, message, hint));
  }

  /** `null` means the file as a whole. A stretch over several lines is cut at the end of its first line. */
  place(span: Span | null): Place {
    if (span === null) return { file: this.file, line: 0, column: 0, length: 0 };
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= span.offset) low = middle;
      else high = middle - 1;
    }
    const start = starts[low] ?? 0;
    const lineEnd = (starts[low + 1] ?? this.text.length + 1) - 1;
    const length = Math.max(1, Math.min(span.length, lineEnd - span.offset));
    return { file: this.file, line: low + 1, column: span.offset - start + 1, length };
  }
}

/**
 * Remembers where each part of the settings was written, by path: `timing.deadTimeMs`, `groups.web.resources.0`.
 * A path that was never written answers with the nearest enclosing one.
 */
export class Places {
  readonly #places = new Map<string, Place>();

  constructor(file: string) {
    this.#places.set("", { file, line: 0, column: 0, length: 0 });
  }

  set(path: readonly (string | number)[], place: Place): void {
    this.#places.set(path.join("\0"), place);
  }

  at(...path: readonly (string | number)[]): Place {
    for (let depth = path.length; depth > 0; depth--) {
      const place = this.#places.get(path.slice(0, depth).join("\0"));
      if (place !== undefined) return place;
    }
    return this.#places.get("")!;
  }
}
