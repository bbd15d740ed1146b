/** The frame of every picture: its size, what it says to those who do not see it, and its colours, light and dark. */

import { element, type Markup, raw } from "./elements.ts";
import { pictureStyle } from "./palette.ts";

export interface Picture {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** `title` is for screen readers and tooltips; nothing of the frame is drawn. */
export function drawPicture(
  title: string,
  width: number,
  height: number,
  ...content: readonly Markup[]
): Picture {
  const root = {
    xmlns: "http://www.w3.org/2000/svg",
    class: "picture",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
  };
  const style = element("style", {}, raw(pictureStyle));
  return { svg: element("svg", root, element("title", {}, title), style, ...content).markup, width, height };
}
