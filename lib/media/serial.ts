/** Not there yet: refuses, so that nobody takes a link for working that does not exist. */

import type { SerialSettings } from "../core/settings.ts";
import { EnvironmentError } from "../errors.ts";
import type { Medium } from "./medium.ts";

export function serialMedia([first]: readonly SerialSettings[]): Medium[] {
  if (first === undefined) return [];
  throw new EnvironmentError('Cannot open medium "serial": not available yet; use another medium', 69);
}
