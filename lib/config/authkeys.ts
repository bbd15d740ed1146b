/**
 * The keys of a cluster, from a file in the format of Heartbeat's authkeys, to which the method `sha256` is added.
 * Says nothing about file permissions (the loader's matter) and never repeats a secret.
 */

import type { AuthenticationKey, AuthenticationMethod } from "../core/settings.ts";
import { Findings, type Placed, type Span } from "./problem.ts";
import { suggestion } from "./spelling.ts";
import { lines, words } from "./text/words.ts";

export const methods = ["crc", "md5", "sha1", "sha256"] as const satisfies readonly AuthenticationMethod[];

/** Highest index, both in the file and in a packet. */
export const keyIndexMax = 15;

export interface AuthKeys {
  readonly signWith: Placed<number> | null;
  readonly keys: readonly Placed<AuthenticationKey>[];
  /** Where secrets stand: never to be shown. */
  readonly secrets: readonly Span[];
}

const keyForm = "write INDEX METHOD SECRET, such as 1 sha1 SomeLongSecret";

export function parseAuthKeys(text: string, file: string): { authKeys: AuthKeys; findings: Findings } {
  const findings = new Findings(file, text);
  const keys: Placed<AuthenticationKey>[] = [];
  const secrets: Span[] = [];
  let signWith: Placed<number> | null = null;

  for (const line of lines(text)) {
    const [first, second, ...rest] = words(line.value, line.span.offset);
    if (first === undefined || first.value.startsWith("#")) continue;
    if (!/^\d/.test(first.value)) {
      // Whatever follows an unknown first word may be a misplaced secret.
      if (first.value !== "auth") {
        if (second !== undefined) secrets.push(untilEnd(second.span, line.span));
        findings.error(
          first.span,
          "unknown-word",
          `a line cannot begin with this word`,
          suggestion(first.value, ["auth"]),
        );
        continue;
      }
      const index = second === undefined ? null : parseIndex(second, findings);
      if (second !== undefined && index === null) secrets.push(untilEnd(second.span, line.span));
      if (second === undefined) {
        findings.error(
          first.span,
          "missing-value",
          `"auth" names no key`,
          "write auth INDEX, the key that signs",
        );
      } else if (signWith !== null) {
        findings.error(first.span, "duplicate-auth", `"auth" stands twice`, "keep one");
      } else if (index !== null) {
        signWith = { value: index, span: second.span };
        if (keys.some((key) => key.value.index === index)) {
          findings.warning(
            first.span,
            "auth-order",
            `"auth ${index}" comes after the line of key ${index}`,
            "a Heartbeat daemon refuses this file: put the auth line first",
          );
        }
      }
      if (rest[0] !== undefined) {
        secrets.push(untilEnd(rest[0].span, line.span));
        findings.error(rest[0].span, "extra-word", "more follows the index of the signing key", keyForm);
      }
      continue;
    }
    const index = parseIndex(first, findings);
    const [secret, extra] = rest;
    if (secret !== undefined) secrets.push(untilEnd(secret.span, line.span));
    if (second === undefined) {
      findings.error(first.span, "missing-value", `key ${first.value} has no method`, keyForm);
      continue;
    }
    const method = methods.find((known) => known === second.value);
    if (method === undefined) {
      // It may be the secret of a key whose method was forgotten: do not repeat it.
      secrets.push(untilEnd(second.span, line.span));
      findings.error(
        second.span,
        "unknown-method",
        `key ${first.value} has an unknown method`,
        suggestion(second.value, methods),
      );
      continue;
    }
    if (method !== "crc" && secret === undefined) {
      findings.error(second.span, "missing-secret", `key ${first.value} (${method}) has no secret`, keyForm);
    } else if (method === "crc" && secret !== undefined) {
      findings.error(secret.span, "extra-word", "crc takes no secret", "remove it, or use sha1");
    } else if (extra !== undefined) {
      findings.error(
        extra.span,
        "extra-word",
        `the secret of key ${first.value} has a blank in it`,
        "a secret is one word",
      );
    } else if (index !== null) {
      const twin = keys.some((key) => key.value.index === index);
      if (twin) {
        findings.error(
          first.span,
          "duplicate-key",
          `key ${index} is defined twice`,
          "give each key its own index",
        );
      } else keys.push({ value: { index, method, secret: secret?.value ?? "" }, span: line.span });
    }
  }
  if (signWith === null) {
    if (!findings.problems.some((found) => found.code === "missing-value" || found.code === "bad-index")) {
      findings.error(null, "missing-auth", "no key is chosen to sign", "begin the file with auth INDEX");
    }
  } else if (!keys.some((key) => key.value.index === signWith.value) && findings.problems.length === 0) {
    findings.error(
      signWith.span,
      "undefined-key",
      `key ${signWith.value} signs but is not defined`,
      `add a line "${signWith.value} sha1 SECRET"`,
    );
  }
  return { authKeys: { signWith, keys, secrets }, findings };
}

function parseIndex(word: Placed<string>, findings: Findings): number | null {
  const index = /^\d{1,2}$/.test(word.value) ? Number(word.value) : NaN;
  if (index <= keyIndexMax) return index;
  findings.error(
    word.span,
    "bad-index",
    `this is not the index of a key`,
    `write a number from 0 to ${keyIndexMax}`,
  );
  return null;
}

function untilEnd(from: Span, line: Span): Span {
  return { offset: from.offset, length: line.offset + line.length - from.offset };
}
