/** Builds SVG and HTML as text: elements with attributes, everything escaped. Numbers are cut to what can be seen. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** A piece of markup that is already escaped. */
export interface Markup {
  readonly markup: string;
}

export type Content = Markup | string | readonly Content[];

/** An element; strings in its content are escaped. */
export function element(name: string, attributes: Attributes = {}, ...content: readonly Content[]): Markup {
  const pairs = Object.entries(attributes)
    .filter((pair): pair is [string, string | number] => pair[1] !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? shortNumber(value) : escaped(value)}"`);
  const inner = content.map(markupOf).join("");
  const isVoid = inner === "" && !spoken.has(name);
  return { markup: isVoid ? `<${name}${pairs.join("")}/>` : `<${name}${pairs.join("")}>${inner}</${name}>` };
}

/** Elements that HTML does not allow to close themselves. */
const spoken: ReadonlySet<string> = new Set(["td", "th", "p", "style", "title", "div", "span"]);

/** Markup from elsewhere, such as a style sheet. */
export function raw(markup: string): Markup {
  return { markup };
}

export function markupOf(content: Content): string {
  if (typeof content === "string") return escaped(content);
  return "markup" in content ? content.markup : content.map(markupOf).join("");
}

/** At most two decimals, for coordinates. */
function shortNumber(value: number): string {
  return String(Number(value.toFixed(2)));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  )
    // deno-lint-ignore no-control-regex
    .replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, " ");
}

/** Columns of pixels that a text of the sans-serif faces takes at most, roughly. */
export function textWidth(text: string, size: number): number {
  return text.length * size * 0.56;
}

/** Cut to a width, with an ellipsis where something is missing; empty where nothing sensible fits. */
export function fitted(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  const letters = Math.floor(width / (size * 0.56)) - 1;
  return letters < 2 ? "" : `${text.slice(0, letters).trimEnd()}…`;
}
