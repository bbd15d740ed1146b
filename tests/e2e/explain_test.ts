import {
  heartbeatAddress,
  heartbeatCut,
  heartbeatKey,
  heartbeatProcess,
  heartbeatSettings,
  heartbeatSize,
} from "./explain/heartbeat.ts";
import { keepalivedLink, keepalivedPassword, keepalivedService } from "./explain/keepalived.ts";
import { byHand, heartlinePair, ucarp } from "./explain/others.ts";
import { targets } from "./harness.ts";
import { registerCourses } from "./explain/situation.ts";

// The longest first, so that none is left to run alone.
const courses = [
  keepalivedLink,
  ucarp,
  heartbeatAddress,
  heartbeatProcess,
  keepalivedPassword,
  keepalivedService,
  heartbeatCut,
  heartbeatKey,
  heartbeatSize,
  heartbeatSettings,
  byHand,
  heartlinePair,
];
/** What differs in the binary is the runtime: native calls, child processes, files. These courses have all of it. */
const essential = [keepalivedPassword, heartbeatKey, byHand];

for (const target of targets()) registerCourses(target === "binary" ? essential : courses, target);
