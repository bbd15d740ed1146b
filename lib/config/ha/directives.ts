/**
 * Every directive of ha.cf and what becomes of it. Data only. A directive that changes who is a member or what is safe
 * and that this version cannot honour is refused, never ignored.
 */

export type DirectiveRule =
  /** Read into the settings. `option`: values separated by blanks and commas; `line`: the rest of the line. */
  | { readonly kind: "read"; readonly form: "option" | "line" }
  /** Changes nothing here. `note`: what happens instead, where somebody would miss it. */
  | { readonly kind: "harmless"; readonly form: "option" | "line"; readonly note?: string }
  /** Fine when off, refused when on. */
  | { readonly kind: "off-only"; readonly advice: string }
  | { readonly kind: "refused"; readonly what: string; readonly advice: string };

const option: DirectiveRule = { kind: "read", form: "option" };
const line: DirectiveRule = { kind: "read", form: "line" };
const harmless: DirectiveRule = { kind: "harmless", form: "option" };
const noted = (note: string, form: "option" | "line" = "option"): DirectiveRule => ({
  kind: "harmless",
  form,
  note,
});
const refused = (what: string, advice: string): DirectiveRule => ({ kind: "refused", what, advice });

const asUcast = "write a ucast line for each peer instead: ucast DEV ADDRESS, on the peers too";
const noFencing =
  'write a heartline.yaml, whose section "fencing" runs agents (fence_ipmilan…), or remove it ' +
  "and accept that a partition may leave two holders where neither lease nor arbiter helps";
const noChild = "remove it and start the program by systemd";
const noPacemaker = `remove it: groups come from haresources; a Pacemaker cluster runs on corosync today`;

export const directives: ReadonlyMap<string, DirectiveRule> = new Map<string, DirectiveRule>([
  ["node", option],
  ["keepalive", option],
  ["deadtime", option],
  ["warntime", option],
  ["initdead", option],
  ["deadping", option],
  ["auto_failback", option],
  ["nice_failback", option],
  ["autojoin", option],
  ["cluster", option],
  ["msgfmt", option],
  ["udpport", option],
  ["ucast", line],
  ["ucast6", line],
  ["bcast", option],
  ["udp", option],
  ["mcast", line],
  ["mcast6", line],
  ["serial", option],
  ["baud", option],
  ["ping", option],
  ["ping6", option],
  ["ping_group", line],
  ["respawn", line],
  ["logfile", option],
  ["realtime", option],
  ["rtprio", option],
  ["env", option],
  ["max_rexmit_delay", option],
  ["uuidfrom", option],
  ["hbgenmethod", option],

  ["hbaping", refused("Fibre Channel ping nodes are", "name an IP address with ping instead")],
  ["rds", refused("RDS media are", asUcast)],
  ["tipc", refused("TIPC media are", asUcast)],
  ["stonith", refused("a stonith plugin is", noFencing)],
  ["stonith_host", refused("a stonith plugin is", noFencing)],
  [
    "watchdog",
    refused(
      "the watchdog is",
      "remove it: the lease of an address covers a hanging daemon, not a hanging kernel",
    ),
  ],
  ["failfast", refused("child programs are", noChild)],
  [
    "quorum_server",
    refused("a quorum server is", `remove it: "ping" with ipfail lets an isolated node give up`),
  ],
  ["pacemaker", { kind: "off-only", advice: noPacemaker }],
  ["crm", { kind: "off-only", advice: noPacemaker }],
  ["use_apphbd", { kind: "off-only", advice: "remove it: the application watchdog daemon is not used" }],
  ["traditional_compression", {
    kind: "off-only",
    advice: "set it to no on all nodes: messages are sent uncompressed",
  }],

  [
    "logfacility",
    noted("reports go to standard error (the journal under systemd) and to logfile, not to syslog"),
  ],
  ["debugfile", noted("nothing is written there: reports go to standard error and to logfile")],
  ["compression", noted("what this node sends is never compressed")],
  ["apiauth", noted("programs that use the Heartbeat client library cannot connect", "line")],
  ["coreroot", noted("memory dumps go where the kernel's core_pattern says")],
  ["use_logd", harmless],
  ["conn_logd_time", harmless],
  ["syslogmsgfmt", harmless],
  ["log_badpack", harmless],
  ["debug", harmless],
  ["memreserve", harmless],
  ["coredumps", harmless],
  ["hopfudge", harmless],
  ["compression_threshold", harmless],
  ["crm_daemon_dir", harmless],
  ["crmd_spawns_pengine", harmless],
  ["record_config_changes", harmless],
  ["record_pengine_inputs", harmless],
  ["enable_config_writes", harmless],
]);
