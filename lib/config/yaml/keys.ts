/** The `keys` of heartline.yaml: a file in the format of authkeys, or an inline list. Messages never repeat a secret. */

import type { Authentication, AuthenticationKey } from "../../core/settings.ts";
import { type AuthKeys, keyIndexMax, methods, parseAuthKeys } from "../authkeys.ts";
import type { LoadContext } from "../context.ts";
import type { Findings, Places, Span } from "../problem.ts";
import type { Value, YamlReader } from "./reader.ts";

export interface KeysResult {
  readonly authentication: Authentication | null;
  /** The YAML text itself holds secrets at these places: the file must be private. */
  readonly secrets: readonly Span[];
  /** Of the keys file, where one was read. */
  readonly file: { readonly findings: Findings; readonly authKeys: AuthKeys } | null;
}

export function readKeys(reader: YamlReader, value: Value, context: LoadContext, places: Places): KeysResult {
  const nothing: KeysResult = { authentication: null, secrets: [], file: null };
  const entries = reader.mapping(value, { what: `"keys"`, keys: ["file", "sign-with", "keys", "allow-crc"] });
  if (entries === null) return nothing;
  const allowed = entries.get("allow-crc");
  const allowCrc = (allowed && reader.boolean(allowed.value, `"allow-crc"`)) ?? false;
  const file = entries.get("file");
  const inline = entries.get("keys");
  const signWith = entries.get("sign-with");
  if (file !== undefined) {
    const rival = inline ?? signWith;
    if (rival !== undefined) {
      const hint = "the file names its signing key itself: keep either the file or the list";
      reader.findings.error(
        rival.key.span,
        "double-keys",
        `"keys" has both "file" and "${rival.key.value}"`,
        hint,
      );
    }
    const path = reader.text(file.value, `"file"`);
    if (path === null) return nothing;
    if (context.keysFile === null) {
      reader.findings.error(
        file.value.span,
        "unreadable",
        `the keys file "${path}" was not read`,
        "see above, or create it",
      );
      return nothing;
    }
    return fromFile(context.keysFile, allowCrc, places);
  }
  if (inline === undefined || signWith === undefined) {
    const hint =
      `write "file: /etc/heartline/keys" or "sign-with: 1" with "keys: [{index: 1, method: sha256, secret: …}]"`;
    reader.findings.error(
      value.span,
      "missing-key",
      `"keys" names neither a file nor keys to sign with`,
      hint,
    );
  }
  const secrets: Span[] = [];
  const keys = inline === undefined ? [] : readInline(reader, inline.value, secrets, places);
  const index = signWith && reader.integer(signWith.value, `"sign-with"`, 0, keyIndexMax);
  if (index === null || index === undefined || inline === undefined) return { ...nothing, secrets };
  if (!keys.some((key) => key.index === index) && keys.length > 0) {
    reader.findings.error(
      signWith!.value.span,
      "undefined-key",
      `key ${index} signs but is not defined`,
      "add it to the list",
    );
  }
  return { authentication: { signWith: index, keys, allowCrc }, secrets, file: null };
}

function fromFile(source: { path: string; text: string }, allowCrc: boolean, places: Places): KeysResult {
  const { authKeys, findings } = parseAuthKeys(source.text, source.path);
  for (const key of authKeys.keys) places.set(["keys", key.value.index], findings.place(key.span));
  const { signWith, keys } = authKeys;
  const authentication = signWith &&
    { signWith: signWith.value, keys: keys.map((key) => key.value), allowCrc };
  return { authentication, secrets: [], file: { findings, authKeys } };
}

function readInline(reader: YamlReader, value: Value, secrets: Span[], places: Places): AuthenticationKey[] {
  const keys: AuthenticationKey[] = [];
  const items = reader.list(value, `"keys"`);
  if (items.length === 0) {
    secrets.push(value.span);
    if (reader.isList(value)) {
      reader.findings.error(
        value.span,
        "missing-key",
        "there is no key",
        "add {index: 1, method: sha256, secret: …}",
      );
    }
  }
  for (const item of items) {
    const known = ["index", "method", "secret"];
    const all = reader.isMapping(item) ? reader.openMapping(item, "a key") : null;
    if (all === null) secrets.push(item.span);
    // Under a misspelt name may stand a secret.
    for (const entry of all?.values() ?? []) {
      if (!["index", "method"].includes(entry.key.value)) secrets.push(entry.value.span);
    }
    const entries = reader.mapping(item, { what: "a key", keys: known, required: ["index", "method"] });
    const [indexEntry, methodEntry, secretEntry] = known.map((key) => entries?.get(key));
    const index = indexEntry && reader.integer(indexEntry.value, `"index"`, 0, keyIndexMax);
    const method = methodEntry && reader.choice(methodEntry.value, `"method"`, methods);
    const secret = secretEntry && reader.text(secretEntry.value, `"secret"`);
    if (index === null || index === undefined || !method) continue;
    if (method === "crc" && secret !== undefined) {
      reader.findings.error(
        secretEntry!.key.span,
        "extra-word",
        "crc takes no secret",
        "remove it, or use sha256",
      );
    } else if (method !== "crc" && secret === undefined) {
      reader.findings.error(
        item.span,
        "missing-secret",
        `key ${index} (${method}) has no secret`,
        `add "secret: …"`,
      );
    } else if (secret !== null && secret !== undefined && /[\s]/.test(secret)) {
      reader.findings.error(
        secretEntry!.value.span,
        "bad-secret",
        `the secret of key ${index} has a blank in it`,
        "a secret is one word",
      );
    } else if (keys.some((key) => key.index === index)) {
      reader.findings.error(
        indexEntry!.value.span,
        "duplicate-key",
        `key ${index} is defined twice`,
        "give each key its own index",
      );
    } else if (secret !== null) {
      places.set(["keys", index], reader.findings.place(item.span));
      keys.push({ index, method, secret: secret ?? "" });
    }
  }
  return keys;
}
