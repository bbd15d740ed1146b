import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { commandPages } from "../../scripts/docs.ts";

Deno.test("docs/commands says what --help says", async () => {
  for (const [name, text] of await commandPages()) {
    const path = new URL(`../../docs/commands/${name}`, import.meta.url);
    assert.ok(existsSync(path), `docs/commands/${name} is missing: deno task docs`);
    assert.equal(readFileSync(path, "utf8"), text, `docs/commands/${name} is stale: deno task docs`);
  }
});
