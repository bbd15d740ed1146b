/**
 * Facts about this machine that decide what a configuration means. The loader gathers them; the parsers only look.
 */

export interface LoadContext {
  /** Own node name, lower-cased; `null`: settings are read for no node in particular (a check elsewhere). */
  readonly nodeName: string | null;
  /** Names of the haresources scripts that exist here; `null`: not known. */
  readonly scripts: ReadonlySet<string> | null;
  /** Port of `ha-cluster/udp` in the services file; `null`: 694. */
  readonly servicesPort: number | null;
  /** Own addresses, canonical: a link of one file for all nodes drops them. */
  readonly ownAddresses: ReadonlySet<string>;
  /** The file that `keys: {file: …}` names; `null`: not read. */
  readonly keysFile: { readonly path: string; readonly text: string } | null;
  /** The files that `options-file` of fencing devices name, by what is written there; missing: not read. */
  readonly optionFiles: ReadonlyMap<string, { readonly path: string; readonly text: string }>;
  /** What fence agents say of themselves on this machine; those that were not asked are missing. */
  readonly agents: ReadonlyMap<string, AgentFacts>;
  /** Addresses of the host names of an ha.cf. */
  readonly hostAddresses: ReadonlyMap<string, string>;
  /** For an ha.d directory, where no key can say it: prefer existing IPaddr scripts when false. */
  readonly nativeVip: boolean;
}

export type AgentFacts =
  | { readonly kind: "missing" }
  /** It does not answer what every agent answers. */
  | { readonly kind: "silent" }
  | { readonly kind: "unasked" }
  /** `isFabric`: it cuts a node off instead of switching its power. */
  | { readonly kind: "known"; readonly parameters: readonly string[]; readonly isFabric: boolean };

/** A context that knows nothing but the node's name. */
export function plainContext(nodeName: string | null): LoadContext {
  return {
    nodeName: nodeName?.toLowerCase() ?? null,
    scripts: null,
    servicesPort: null,
    ownAddresses: new Set(),
    keysFile: null,
    optionFiles: new Map(),
    agents: new Map(),
    hostAddresses: new Map(),
    nativeVip: true,
  };
}
