/** Real scripts in a directory of their own, for the tests of the runners. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OperationContext } from "../../lib/resources/resource.ts";

export class ScriptDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "heartline-scripts-"));

  /** Writes an executable shell script; answers its path. */
  add(name: string, body: string, mode = 0o755): string {
    const path = join(this.path, name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, mode);
    return path;
  }

  /** A service whose state is a file: start and stop are counted in `calls`, one word a line. */
  addService(name: string, says: { readonly running: string; readonly stopped: string }): string {
    return this.add(
      name,
      `state=${this.path}/${name}.state
for operation; do :; done
echo $operation >> ${this.path}/calls
case $operation in
  start) touch $state ;;
  stop) rm -f $state ;;
  *) if [ -e $state ]; then ${says.running}; else ${says.stopped}; fi ;;
esac`,
    );
  }

  context(more: Partial<OperationContext> = {}): OperationContext {
    return { limitMs: 10_000, environment: {}, scriptDirectories: [this.path], ...more };
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
