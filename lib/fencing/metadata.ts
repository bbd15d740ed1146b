/**
 * What an agent says of itself: the XML that its action `metadata` prints (FenceAgentAPI). Only names are read, so no
 * XML library; a text that is not such metadata gives `null`.
 */

export interface AgentMetadata {
  readonly parameters: readonly string[];
  readonly actions: readonly string[];
}

/** Longer than any agent's. */
const textMax = 1024 * 1024;

export function parseMetadata(text: string): AgentMetadata | null {
  if (text.length > textMax || !/<resource-agent[\s>]/.test(text)) return null;
  const names = (element: string) =>
    [...text.matchAll(new RegExp(`<${element}\\s[^>]*?\\bname="([^"<>]{1,64})"`, "g"))].map(([, name]) =>
      name!
    );
  const parameters = names("parameter");
  const actions = names("action");
  return actions.length === 0 ? null : { parameters: [...new Set(parameters)], actions };
}

/** It takes the word for one of several plugs of a device. */
export function hasPorts({ parameters }: AgentMetadata): boolean {
  return parameters.includes("port") || parameters.includes("plug");
}

/** It cuts a node off from a network or its discs instead of its power, so it has no reboot; nothing is to undo that. */
export function isFabric({ actions }: AgentMetadata): boolean {
  return !actions.includes("reboot");
}

/** Options that it does not know. `-` and `_` are the same to agents. */
export function unknownOptions({ parameters }: AgentMetadata, options: Iterable<string>): string[] {
  const known = new Set(parameters.map((name) => name.replaceAll("-", "_")));
  return [...options].filter((name) => !known.has(name.replaceAll("-", "_")));
}
