/**
 * All kinds of media. A new kind is one file, one member of `MediumSettings`, and one line here, without which it
 * does not compile.
 */

import type { MediumSettings } from "../core/settings.ts";
import { bcastMedia } from "./bcast.ts";
import { mcastMedia } from "./mcast.ts";
import type { Medium } from "./medium.ts";
import { serialMedia } from "./serial.ts";
import { tcpMedia } from "./tcp.ts";
import { ucastMedia } from "./ucast.ts";

type SettingsOf<Kind extends MediumSettings["kind"]> = Extract<MediumSettings, { kind: Kind }>;

/** Makes media of one kind; several directives may be one medium. */
type Maker<Kind extends MediumSettings["kind"]> = (settings: ReadonlyArray<SettingsOf<Kind>>) => Medium[];

const makers: { readonly [Kind in MediumSettings["kind"]]: Maker<Kind> } = {
  ucast: ucastMedia,
  bcast: bcastMedia,
  mcast: mcastMedia,
  serial: serialMedia,
  tcp: tcpMedia,
};

/** The media that the settings describe, not open yet. */
export function createMedia(settings: readonly MediumSettings[]): Medium[] {
  const make = <Kind extends MediumSettings["kind"]>(kind: Kind) =>
    makers[kind](settings.filter((each): each is SettingsOf<Kind> => each.kind === kind));
  return (Object.keys(makers) as MediumSettings["kind"][]).flatMap(make);
}
