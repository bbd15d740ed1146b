/**
 * Columns of text that fit a terminal. Cells are plain; paint is given beside them, so that it never counts as width.
 * The last column is wrapped under itself, all others are as wide as they need and elided in the middle beyond a
 * limit: of long names, both ends tell which one it is.
 */

import stringWidth from "string-width";
import { printable } from "../../lib/runtime/report_line.ts";

export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

export interface TableLayout {
  /** Columns of the terminal, 80 where nothing is known. */
  readonly width: number;
  /** Blanks before each line. */
  readonly indent: number;
  /** Widest that a column may become, by index; the last one takes what is left. */
  readonly widthsMax: readonly number[];
}

const gap = 2;

/** Too narrow a rest to wrap anything into: then the last column may run over the edge. */
const restMin = 16;

export function renderTable(rows: ReadonlyArray<readonly Cell[]>, layout: TableLayout): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => {
    const widest = Math.max(
      0,
      ...rows.map((row) => row.length - 1 > column ? stringWidth(textOf(row[column])) : 0),
    );
    return Math.min(widest, layout.widthsMax[column] ?? Infinity);
  });
  return rows.flatMap((row) => {
    const last = row.length - 1;
    const before = row.slice(0, last).map((cell, column) => {
      const text = elide(textOf(cell), widths[column]!);
      return paintOf(cell)(text) + " ".repeat(widths[column]! - stringWidth(text) + gap);
    }).join("");
    const hang = layout.indent + widths.slice(0, last).reduce((sum, width) => sum + width + gap, 0);
    const lines = wrap(textOf(row[last]), Math.max(layout.width - hang, restMin)).map(paintOf(row[last]!));
    return lines.map((line, index) =>
      (index === 0 ? " ".repeat(layout.indent) + before : " ".repeat(hang)) + line
    )
      .map((line) => line.trimEnd());
  });
}

/** At most `width` columns of it, with the middle left out where it is longer. */
export function elide(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const room = Math.max(0, width - 2);
  const letters = graphemes(text);
  const head = takeColumns(letters, Math.ceil(room / 2));
  let tail = "";
  for (const letter of letters.toReversed()) {
    if (stringWidth(`${head}..${letter}${tail}`) > width) break;
    tail = letter + tail;
  }
  return `${head}..${tail}`;
}

/** What a person takes for one sign, however many code points it has: half of one has another width. */
function graphemes(text: string): string[] {
  return [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
}

/** Lines of at most `width` columns, broken between words, and inside words only where one is wider than a line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (let word of text.split(" ")) {
    if (line !== "" && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line);
      line = "";
    }
    while (stringWidth(word) > width) {
      const head = takeColumns([...word], width);
      lines.push(head);
      word = word.slice(head.length);
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

function takeColumns(letters: readonly string[], width: number): string {
  let taken = "";
  for (const letter of letters) {
    if (taken !== "" && stringWidth(taken + letter) > width) break;
    taken += letter;
  }
  return taken;
}

function textOf(cell: Cell | undefined): string {
  return cell === undefined ? "" : printable(typeof cell === "string" ? cell : cell.text);
}

function paintOf(cell: Cell): (text: string) => string {
  return typeof cell === "string" ? (text) => text : cell.paint;
}
