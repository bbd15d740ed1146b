/** The settings of the cluster, as far as a drill can use them: it runs beside any software, and without any. */

import { settingsHash } from "../../../lib/config/checks/fingerprint.ts";
import type { MediumSettings, Settings } from "../../../lib/core/settings.ts";
import type { NodeView } from "../../../lib/core/view.ts";
import { UsageError } from "../../../lib/errors.ts";
import { loadSettings } from "../../../lib/runtime/load_settings.ts";
import { settingsErrors } from "../../settings_errors.ts";
import { chooseSource, hasStandardSource } from "../peer.ts";

export interface SettingsHere {
  /** `null`: there are none, or they are of no use. */
  readonly settings: Settings | null;
  /** What the operator should know of it. */
  readonly notes: readonly string[];
}

/** What was named must be right; what is found in the usual places is left out where it is not. */
export async function settingsHere(
  { config, haDir }: { readonly config: string | null; readonly haDir: string | null },
  node: string | null,
): Promise<SettingsHere> {
  const isNamed = (config ?? haDir) !== null;
  if (!isNamed && !hasStandardSource()) return { settings: null, notes: [] };
  const { settings, problems } = await loadSettings({
    ...chooseSource(config ?? undefined, haDir ?? undefined),
    nodeOverride: node ?? undefined,
    isForeignAllowed: true,
    areKeysOptional: true,
  });
  if (settings !== null) return { settings, notes: [] };
  const errors = settingsErrors(problems);
  if (isNamed) throw new UsageError(errors, 78);
  return { settings: null, notes: [`the settings here are not used: ${errors[0]}`] };
}

/** Of a daemon that runs by other settings, or by former ones, nothing is known. */
export function mediaOf(view: NodeView, settings: Settings | null): readonly MediumSettings[] | null {
  return settings === null || settingsHash(settings) !== view.settingsHash ? null : settings.media;
}
