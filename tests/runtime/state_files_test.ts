/** What survives a restart: the generation, which never goes down, the UUID and the epochs. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnvironmentError } from "../../lib/errors.ts";
import { StateFiles } from "../../lib/runtime/state_files.ts";

function inDirectory(body: (own: string, legacy: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "heartline-state-"));
  const legacy = join(root, "legacy");
  mkdirSync(legacy);
  try {
    body(join(root, "deep", "own"), legacy);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function inDirectoryAsync(body: (own: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "heartline-state-"));
  try {
    await body(join(root, "own"));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function put(directory: string, name: string, content: string | Uint8Array): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), content);
}

function generationText(directory: string): string {
  return readFileSync(join(directory, "hb_generation"), "latin1");
}

Deno.test("the generation is written as a Heartbeat daemon does: 15 columns and a newline", () => {
  inDirectory((own) => {
    put(own, "hb_generation", "     1795232417\n");
    assert.equal(new StateFiles(own, null).generation, 1_795_232_418);
    assert.equal(generationText(own), "     1795232418\n");
    assert.equal(generationText(own).length, 16);
  });
});

Deno.test("every start takes a later generation, and the first one begins at the present time", () => {
  inDirectory((own) => {
    const beforeSeconds = Math.floor(Date.now() / 1000);
    const first = new StateFiles(own, null).generation;
    assert.ok(first > beforeSeconds && first <= Date.now() / 1000 + 1, `${first}`);
    assert.equal(new StateFiles(own, null).generation, first + 1);
    assert.equal(new StateFiles(own, null).generation, first + 2);
  });
});

const moves = [
  ["only the legacy directory has one", null, "            700\n", 701],
  ["the legacy one is later", "            300\n", "            700\n", 701],
  ["our own is later", "            900\n", "            700\n", 901],
  ["the legacy one has no padding", null, "700", 701],
] as const;

Deno.test("the generation is continued where Heartbeat keeps it, so that it can come back", () => {
  inDirectory((directory, legacyDirectory) => {
    put(legacyDirectory, "hb_generation", "            700\n");
    new StateFiles(directory, legacyDirectory);
    new StateFiles(directory, legacyDirectory);
    assert.equal(readFileSync(join(legacyDirectory, "hb_generation"), "utf8"), "            702\n");
  });
  inDirectory((directory, legacyDirectory) => {
    new StateFiles(directory, legacyDirectory);
    assert.equal(existsSync(join(legacyDirectory, "hb_generation")), false, "never there: not made");
  });
});

for (const [name, own, legacy, generation] of moves) {
  Deno.test(`a node that moves over goes on counting: ${name}`, () => {
    inDirectory((directory, legacyDirectory) => {
      if (own !== null) put(directory, "hb_generation", own);
      put(legacyDirectory, "hb_generation", legacy);
      assert.equal(new StateFiles(directory, legacyDirectory).generation, generation);
      assert.equal(
        generationText(legacyDirectory),
        `${String(generation).padStart(15)}\n`,
        "it could go back",
      );
    });
  });
}

const damaged = [
  ["hb_generation", ""],
  ["hb_generation", "soon\n"],
  ["hb_generation", "12 34\n"],
  ["hb_generation", "-5\n"],
  ["hb_generation", "1e9\n"],
  ["hb_generation", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"],
  ["hb_generation", "9999999999999999\n"],
  ["hb_generation", "999999999999999\n"],
  ["epochs.json", ""],
  ["epochs.json", '{"web":7'],
  ["epochs.json", "null"],
  ["epochs.json", '"web"'],
  ["epochs.json", "[7]"],
  ["epochs.json", '{"web":"7"}'],
  ["epochs.json", '{"web":-1}'],
  ["epochs.json", '{"web":7.5}'],
  ["epochs.json", '{"web":7,"mail":null}'],
] as const;

for (const [file, content] of damaged) {
  Deno.test(`a damaged ${file} is refused, not guessed at: ${JSON.stringify(content)}`, () => {
    inDirectory((own) => {
      put(own, file, content);
      assert.throws(
        () => new StateFiles(own, null),
        (error: unknown) =>
          error instanceof EnvironmentError && error.exitCode === 69 && error.message.includes(own) &&
          error.message.includes(file) && error.message.includes("remove it"),
      );
      assert.equal(readFileSync(join(own, file), "latin1"), content, "it is left as it was found");
    });
  });
}

Deno.test("a damaged legacy generation is refused too, by its own name", () => {
  inDirectory((own, legacy) => {
    put(legacy, "hb_generation", "soon\n");
    assert.throws(() => new StateFiles(own, legacy), { message: new RegExp(join(legacy, "hb_generation")) });
  });
});

Deno.test("a directory that cannot be made is an environment error that names it and the next step", () => {
  inDirectory((own, legacy) => {
    put(legacy, "file", "");
    assert.throws(
      () => new StateFiles(join(legacy, "file", "state"), null),
      (error: unknown) =>
        error instanceof EnvironmentError && error.message.includes("--state-dir") &&
        error.cause !== undefined,
    );
    assert.deepEqual(readdirSync(legacy), ["file"]);
    assert.throws(() => readdirSync(own));
  });
});

Deno.test("the UUID is made once, as a random one, and a legacy one is kept", () => {
  inDirectory((own, legacy) => {
    const { uuid } = new StateFiles(own, null);
    assert.equal(uuid.length, 16);
    assert.equal(uuid[6]! >> 4, 4);
    assert.equal(uuid[8]! >> 6, 2);
    assert.deepEqual([...new StateFiles(own, null).uuid], [...uuid]);

    const known = Uint8Array.from({ length: 16 }, (_, index) => index);
    put(legacy, "hb_uuid", known);
    assert.deepEqual([...new StateFiles(join(own, "new"), legacy).uuid], [...known]);
    assert.deepEqual([...new StateFiles(own, legacy).uuid], [...uuid], "our own comes first");
  });
});

Deno.test("epochs are there after a restart, the highest of each group, whatever its name", async () => {
  await inDirectoryAsync(async (own) => {
    const state = new StateFiles(own, null);
    assert.deepEqual({ ...state.epochs }, {});
    const first = state.keepEpoch("IPaddr2::10.0.0.9/24/eth0", 7);
    void state.keepEpoch("__proto__", 3);
    await Promise.all([first, state.keepEpoch("IPaddr2::10.0.0.9/24/eth0", 6)]);
    const again = new StateFiles(own, null);
    assert.deepEqual(Object.entries(again.epochs), [["IPaddr2::10.0.0.9/24/eth0", 7], ["__proto__", 3]]);
    assert.equal(again.epochs["toString"], undefined);
  });
});

Deno.test("nothing but the three files is left behind", async () => {
  await inDirectoryAsync(async (own) => {
    const state = new StateFiles(own, null);
    for (let epoch = 1; epoch <= 10; epoch++) void state.keepEpoch("web", epoch);
    for (let epoch = 11; epoch <= 20; epoch++) await state.keepEpoch("web", epoch);
    assert.deepEqual({ ...new StateFiles(own, null).epochs }, { web: 20 });
    assert.deepEqual(readdirSync(own).sort(), ["epochs.json", "hb_generation", "hb_uuid"]);
  });
});

Deno.test("a file that was half written when the machine went off is not read", () => {
  inDirectory((own) => {
    put(own, "hb_generation", "            300\n");
    put(own, "hb_generation.tmp", "  3");
    put(own, "epochs.json", '{"web":7}\n');
    put(own, "epochs.json.tmp", '{"we');
    const state = new StateFiles(own, null);
    assert.equal(state.generation, 301);
    assert.deepEqual({ ...state.epochs }, { web: 7 });
  });
});

Deno.test("a disk that hangs holds up neither the event loop nor, for long, the end of the daemon", async () => {
  await inDirectoryAsync(async (own) => {
    const state = new StateFiles(own, null);
    // Opening a pipe that nobody reads hangs as a dead disk does, until somebody does.
    const pipe = join(own, `epochs.json.${process.pid}.tmp`);
    execFileSync("mkfifo", [pipe]);
    const kept = state.keepEpoch("web", 1).then(() => "kept", () => "failed");
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await state.close(500);
    clearInterval(timer);
    assert.ok(turns > 5, `${turns} turns of the event loop`);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    assert.equal(await kept, "failed", "a pipe cannot be synced");
    closeSync(reader);
    rmSync(pipe, { force: true });
    await state.keepEpoch("web", 2);
    assert.deepEqual({ ...new StateFiles(own, null).epochs }, { web: 2 });
  });
});
