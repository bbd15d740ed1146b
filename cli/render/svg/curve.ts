/**
 * Curves over two axes, for what a setting costs and buys: detection time against false failovers. Curves differ by
 * colour, by mark and by kind of line; a point without a value (nothing was seen) stands hollow on the lower edge.
 */

import { element, type Markup, textWidth } from "./elements.ts";
import { nodeClass } from "./palette.ts";
import { drawPicture, type Picture } from "./picture.ts";

export interface CurvePoint {
  readonly x: number;
  /** `null`: nothing was seen, so the value is below what can be measured. */
  readonly y: number | null;
  /** Shown when pointed at. */
  readonly hint: string;
}

export interface Curve {
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

export interface Axis {
  readonly label: string;
  readonly isLogarithmic: boolean;
  readonly format: (value: number) => string;
}

export interface CurvesPicture {
  readonly title: string;
  /** One line; empty: none. */
  readonly about: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly curves: readonly Curve[];
}

const width = 860;
const height = 520;
const plot = { left: 96, right: 210, top: 76, bottom: 62 };
const plotWidth = width - plot.left - plot.right;
const plotHeight = height - plot.top - plot.bottom;
/** In turn, so that of two curves that lie on each other both are seen. */
const dashes = [undefined, "9 7", "2.5 6", "13 5 2 5"];

export function drawCurves(picture: CurvesPicture): Picture {
  const points = picture.curves.flatMap((curve) => curve.points);
  const x = new Scale(points.map((point) => point.x), picture.x, plot.left, plotWidth);
  const values = points.flatMap((point) => point.y === null ? [] : [point.y]);
  const y = new Scale(values, picture.y, plot.top + plotHeight, -plotHeight);
  return drawPicture(
    picture.title,
    width,
    height,
    element("text", { class: "title", x: 16, y: 34 }, picture.title),
    element("text", { class: "about", x: 16, y: 56 }, picture.about),
    element("rect", {
      class: "panel",
      x: plot.left,
      y: plot.top,
      width: plotWidth,
      height: plotHeight,
      rx: 4,
    }),
    ...drawAxes(picture, x, y),
    ...picture.curves.map((curve, index) => drawCurve(curve, index, x, y)),
    ...picture.curves.map(({ name }, index) => drawKey(name, index)),
    ...(points.some(({ y }) => y === null) ? drawHollowKey(picture.curves.length) : []),
  );
}

/** Values to pixels; logarithmic only where all values are above zero. */
class Scale {
  readonly #min: number;
  readonly #max: number;
  readonly isLogarithmic: boolean;

  constructor(
    values: readonly number[],
    readonly axis: Axis,
    readonly begin: number,
    readonly length: number,
  ) {
    this.isLogarithmic = axis.isLogarithmic && values.length > 0 && values.every((value) => value > 0);
    const all = values.length === 0 ? [0, 1] : values.map((value) => this.#inner(value));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const margin = (high - low || 1) * 0.06;
    this.#min = this.isLogarithmic || low !== 0 ? low - margin : 0;
    this.#max = high + margin;
  }

  at(value: number): number {
    return this.begin + (this.#inner(value) - this.#min) / (this.#max - this.#min) * this.length;
  }

  ticks(): number[] {
    if (this.isLogarithmic) {
      const found = [];
      for (let power = Math.floor(this.#min); power <= this.#max; power++) {
        for (const factor of this.#max - this.#min < 2.5 ? [1, 2, 5] : [1]) {
          const value = factor * 10 ** power;
          if (this.#isShown(value)) found.push(value);
        }
      }
      return found;
    }
    const wanted = (this.#max - this.#min) / 6;
    const power = 10 ** Math.floor(Math.log10(wanted));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= wanted) ?? wanted;
    const found = [];
    for (let at = Math.ceil(this.#min / step); at * step <= this.#max; at++) found.push(at * step);
    return found;
  }

  #isShown(value: number): boolean {
    const inner = this.#inner(value);
    return inner >= this.#min && inner <= this.#max;
  }

  #inner(value: number): number {
    return this.isLogarithmic ? Math.log10(value) : value;
  }
}

function drawAxes({ x: xAxis, y: yAxis }: CurvesPicture, x: Scale, y: Scale): Markup[] {
  const bottom = plot.top + plotHeight;
  const right = plot.left + plotWidth;
  const middle = plot.top + plotHeight / 2;
  return [
    ...x.ticks().flatMap((value) => {
      const at = x.at(value);
      return [
        element("line", { class: "grid", x1: at, x2: at, y1: plot.top, y2: bottom }),
        element(
          "text",
          { class: "tick", x: at, y: bottom + 18, "text-anchor": "middle" },
          xAxis.format(value),
        ),
      ];
    }),
    ...y.ticks().flatMap((value) => {
      const at = y.at(value);
      return [
        element("line", { class: "grid", x1: plot.left, x2: right, y1: at, y2: at }),
        element(
          "text",
          { class: "tick", x: plot.left - 8, y: at + 4, "text-anchor": "end" },
          yAxis.format(value),
        ),
      ];
    }),
    element(
      "text",
      { class: "caption", x: plot.left + plotWidth / 2, y: bottom + 44, "text-anchor": "middle" },
      xAxis.label,
    ),
    element(
      "text",
      { class: "caption", x: 22, y: middle, "text-anchor": "middle", transform: `rotate(-90 22 ${middle})` },
      yAxis.label,
    ),
  ];
}

function drawCurve({ points }: Curve, index: number, x: Scale, y: Scale): Markup {
  const floor = plot.top + plotHeight;
  const colour = nodeClass(index);
  const places = points.map((point) => ({
    ...point,
    px: x.at(point.x),
    py: point.y === null ? floor : y.at(point.y),
  }));
  const path = places.filter((place) => place.y !== null).map(({ px, py }, at) =>
    `${at === 0 ? "M" : "L"}${px.toFixed(1)} ${py.toFixed(1)}`
  ).join("");
  return element(
    "g",
    {},
    path === ""
      ? ""
      : element("path", { class: `curve stroke ${colour}`, d: path, "stroke-dasharray": dashOf(index) }),
    ...places.map((place) => drawPoint(place.px, place.py, index, place.y === null, place.hint)),
  );
}

function drawPoint(px: number, py: number, index: number, isHollow: boolean, hint: string): Markup {
  const colour = nodeClass(index);
  const style = isHollow ? `stroke ${colour}` : `fill ${colour}`;
  const attributes = {
    class: style,
    d: markPath(index, px, py),
    fill: isHollow ? "none" : undefined,
    "stroke-width": isHollow ? 1.8 : undefined,
  };
  return element("path", attributes, element("title", {}, hint));
}

/** Circle, square, triangle, diamond in turn: curves are told apart without colours. */
function markPath(index: number, x: number, y: number): string {
  const [px, py] = [Number(x.toFixed(1)), Number(y.toFixed(1))];
  switch (index % 4) {
    case 0:
      return `M${px - 4.5} ${py}a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z`;
    case 1:
      return `M${px - 4} ${py - 4}h8v8h-8Z`;
    case 2:
      return `M${px} ${py - 5}l5 9h-10Z`;
    default:
      return `M${px} ${py - 5.5}l5 5.5l-5 5.5l-5 -5.5Z`;
  }
}

function drawKey(name: string, index: number): Markup {
  const x = plot.left + plotWidth + 18;
  const y = plot.top + 14 + index * 24;
  const line = { x1: x, x2: x + 30, y1: y, y2: y, "stroke-dasharray": dashOf(index) };
  const room = width - x - 42;
  const shown = textWidth(name, 12) <= room ? name : `${name.slice(0, Math.floor(room / 6.8))}…`;
  return element(
    "g",
    {},
    element("line", { class: `curve stroke ${nodeClass(index)}`, ...line }),
    drawPoint(x + 15, y, index, false, name),
    element("text", { x: x + 38, y: y + 4 }, element("title", {}, name), shown),
  );
}

/** What a point on the lower edge means. */
function drawHollowKey(row: number): Markup[] {
  const x = plot.left + plotWidth + 18;
  const y = plot.top + 22 + row * 24;
  const mark = { d: markPath(0, x + 15, y), fill: "none", class: "axis", "stroke-width": 1.8 };
  return [
    element("path", mark),
    element("text", { class: "tick", x: x + 38, y: y + 4 }, "none was seen"),
  ];
}

function dashOf(index: number): string | undefined {
  return dashes[index % dashes.length];
}
