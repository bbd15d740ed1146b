/**
 * Everything an operator can decide about a cluster, typed and checked. `lib/config` makes it from text; the core,
 * the daemon and the commands read it. All lengths of time are whole milliseconds unless the name says otherwise.
 */

export interface Settings {
  /** Label of the cluster; shown, hashed, never used to accept or refuse a message. */
  readonly cluster: string;
  /** Lower-cased names of all nodes, in the order of the configuration; 1 to 16. */
  readonly nodes: readonly string[];
  readonly timing: Timing;
  /** Destination and listening port of UDP media. */
  readonly udpPort: number;
  readonly media: readonly MediumSettings[];
  /** Longest wait before a lost message is asked for, and the time between two requests for it. */
  readonly maxRexmitDelayMs: number;
  /** The alarm on a lost link is repeated after so long until the link works again; 0: never. */
  readonly alarmRepeatMs: number;
  /** Encoding of what we send; both encodings are always read. */
  readonly messageFormat: "netstring" | "text";
  readonly authentication: Authentication;
  readonly groups: readonly GroupSettings[];
  readonly arbiters: readonly ArbiterSettings[];
  /** How nodes out of view are made sure of from outside; `null`: there is no such way. */
  readonly fencing: FencingSettings | null;
  readonly pingMembers: readonly PingMemberSettings[];
  /** A ping member that has not answered for this long is dead. */
  readonly deadPingMs: number;
  /** Waiting time added before every takeover from a node that is out of view. */
  readonly takeoverDelayMs: number;
  /** A takeover from a node that is out of view waits for `heartline confirm`. */
  readonly takeoverConfirm: boolean;
  /** Hardware addresses whose answers never count as a holder (a router with proxy ARP). */
  readonly ignoreAnswersFrom: readonly string[];
  readonly process: ProcessSettings;
}

export interface Timing {
  /** Interval between two heartbeats. */
  readonly keepaliveMs: number;
  /** A node not heard for this long is out of view. More than twice `keepaliveMs`. */
  readonly deadTimeMs: number;
  /** A heartbeat later than this is reported. */
  readonly warnTimeMs: number;
  /** A node that has never been heard since our start is out of view after this long. At least `deadTimeMs`. */
  readonly initDeadMs: number;
}

export type MediumSettings = UcastSettings | BcastSettings | McastSettings | SerialSettings | TcpSettings;

/**
 * Name of the link that a medium is, the same on all nodes where they are cabled alike. Media of one name are one
 * link; TCP has a name of its own beside UDP on the same interface, since networks may drop the one and not the other.
 */
export function linkName(medium: MediumSettings): string {
  switch (medium.kind) {
    case "serial":
      return medium.tty;
    case "tcp":
      return `tcp:${medium.device}`;
    default:
      return medium.device;
  }
}

/** One unicast UDP path (Heartbeat's `ucast` and `ucast6`). */
export interface UcastSettings {
  readonly kind: "ucast";
  /** Interface name; also names the link, so that two directives on one interface are one link. */
  readonly device: string;
  /** IPv4 or IPv6 address of the peer. */
  readonly peer: string;
  readonly port: number;
  /** Own address to bind to; `null` takes the interface's address of the peer's family and subnet. */
  readonly local: string | null;
}

/** UDP to the broadcast address of an interface (Heartbeat's `bcast`); IPv4 only. */
export interface BcastSettings {
  readonly kind: "bcast";
  readonly device: string;
  readonly port: number;
}

/** UDP to a multicast group (Heartbeat's `mcast` and `mcast6`). */
export interface McastSettings {
  readonly kind: "mcast";
  readonly device: string;
  /** IPv4 or IPv6 address of the group. */
  readonly group: string;
  readonly port: number;
  /** Routers that may be passed plus one (IPv6: hops), 0 to 255; 1 stays on the wire. */
  readonly ttl: number;
  /** Whether other programs of this machine hear it too. */
  readonly loop: boolean;
}

/** A serial line to one peer (Heartbeat's `serial`). */
export interface SerialSettings {
  readonly kind: "serial";
  /** Absolute path of the device. */
  readonly tty: string;
  readonly baud: SerialBaud;
}

export type SerialBaud = 9600 | 19200 | 38400 | 57600 | 115200 | 230400 | 460800;

/** One long-lived connection to a peer, for networks that drop UDP. Heartbeat knows no such thing. */
export interface TcpSettings {
  readonly kind: "tcp";
  readonly device: string;
  /** IPv4 or IPv6 address of the peer. The end with the lower address listens, the other one connects. */
  readonly peer: string;
  readonly port: number;
  /** Own address; `null` takes the interface's address of the peer's family and subnet. */
  readonly local: string | null;
}

export type AuthenticationMethod = "crc" | "md5" | "sha1" | "sha256";

export interface AuthenticationKey {
  /** 0 to 15, as in authkeys. */
  readonly index: number;
  readonly method: AuthenticationMethod;
  /** Empty for `crc`, which takes none. */
  readonly secret: string;
}

export interface Authentication {
  /** Index of the key that signs. */
  readonly signWith: number;
  /** All keys that verify. */
  readonly keys: readonly AuthenticationKey[];
  /** `crc` on UDP protects against nothing but noise; refused unless set. */
  readonly allowCrc: boolean;
}

export interface GroupSettings {
  /** Unique. For haresources: the text of the line's first resource, the key of the Heartbeat protocol. */
  readonly name: string;
  /** Who may hold the group, most preferred first; a subset of `Settings.nodes`. */
  readonly nodes: readonly string[];
  readonly failback: Failback;
  /** Started left to right, stopped right to left. */
  readonly resources: readonly ResourceSettings[];
  readonly monitorIntervalMs: number;
  /** What happens when a resource cannot be stopped. */
  readonly onStopFail: "block" | "fence" | "reboot";
  /** Wait for a lost holder's address lease to have run out even when the wire is silent. */
  readonly waitForLease: boolean;
  /** After a failed start or a second failed monitor this node leaves the group alone for this long. */
  readonly retryAfterMs: number;
}

export type Failback =
  | { readonly kind: "on" }
  | { readonly kind: "off" }
  /** As `on`; to a Heartbeat daemon the old family of its protocol is spoken (protocol reference 9.7). */
  | { readonly kind: "legacy" }
  /** Only after the preferred node has been stable for `ms`. */
  | { readonly kind: "after"; readonly ms: number };

export interface ResourceSettings {
  /** As written by the operator (`IPaddr2::10.0.0.9/24/eth0`); shown everywhere; unique in its group. */
  readonly id: string;
  readonly spec: ResourceSpec;
  readonly startLimitMs: number;
  readonly stopLimitMs: number;
  readonly monitorLimitMs: number;
}

export type ResourceSpec = VipSpec | HaScriptSpec | LsbSpec | OcfSpec | SystemdSpec | ExecSpec;

/** A virtual IP address, held with a lease that the kernel enforces. */
export interface VipSpec {
  readonly kind: "vip";
  /** Canonical text of the address. */
  readonly address: string;
  readonly family: 4 | 6;
  /** `null`: that of the interface's own address in the same subnet. */
  readonly prefix: number | null;
  /** `null`: the interface that has a route to the address, as IPaddr2 finds it. */
  readonly device: string | null;
  /** Address label (IPv4 only), at most 15 bytes, `DEV:TEXT`. */
  readonly label: string | null;
  readonly broadcast: string | null;
  /** Whole seconds; `null`: no lease, the address outlives a killed daemon. */
  readonly leaseSeconds: number | null;
  /** How long strangers are asked for before the address is taken; 0: never. */
  readonly duplicateCheckMs: number;
  /** Mean time between two refresh announcements; 0: none. */
  readonly announceRefreshMs: number;
}

/** `/etc/ha.d/resource.d/SCRIPT` or `/etc/init.d/SCRIPT`, judged by what `status` prints. */
export interface HaScriptSpec {
  readonly kind: "ha";
  readonly script: string;
  readonly args: readonly string[];
}

/** `/etc/init.d/SCRIPT`, judged by the exit code of `status`. */
export interface LsbSpec {
  readonly kind: "lsb";
  readonly script: string;
}

export interface OcfSpec {
  readonly kind: "ocf";
  readonly provider: string;
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface SystemdSpec {
  readonly kind: "systemd";
  /** With its suffix, `.service` unless another was written. */
  readonly unit: string;
}

/** An absolute path called as `PATH ARGS… start|stop|status`; exit 0 is success, of `status` exit 3 or 7 is stopped. */
export interface ExecSpec {
  readonly kind: "exec";
  readonly path: string;
  readonly args: readonly string[];
}

/** A pseudo member (`ping`, `ping6`, `ping_group`): up as long as one of its addresses answers ICMP echo. */
export interface PingMemberSettings {
  readonly name: string;
  /** IPv4 or IPv6 addresses, at least one. */
  readonly targets: readonly string[];
}

export type ArbiterSettings = PingArbiterSettings;

/** Reference addresses asked by ICMP echo: who reaches none of them, and no peer, is isolated. */
export interface PingArbiterSettings {
  readonly kind: "ping";
  readonly name: string;
  /** IPv4 or IPv6 addresses; one answer suffices. */
  readonly targets: readonly string[];
  readonly onUnreachable: UnreachablePolicy;
}

/** What an isolated node does with the groups it holds. It never takes one, whatever is said here. */
export type UnreachablePolicy =
  | { readonly kind: "release" }
  | { readonly kind: "hold" }
  | { readonly kind: "hold-for"; readonly ms: number };

export interface FencingSettings {
  /** In the order in which they are tried for a node that several of them can fence. At least one. */
  readonly devices: readonly FenceDeviceSettings[];
  /**
   * Names of devices that switch a node off only together: the strips of its two power supplies. Missing: each does so
   * alone.
   */
  readonly together?: readonly (readonly string[])[];
  /** What becomes of a fenced node. Either way it counts as fenced only once it is verified to be off. */
  readonly action: "off" | "reboot";
  /** How long others wait before they fence a node: of two that would fence each other, the one with more survives. */
  readonly delayMs: Readonly<Record<string, number>>;
  /** Time between two attempts, after one that failed or whose outcome is unknown. */
  readonly retryMs: number;
}

/** A device that can switch nodes off, driven by a program of the fence-agents' interface. */
export interface FenceDeviceSettings {
  /** Unique among the devices. */
  readonly name: string;
  /** Name or absolute path of the agent, such as `fence_ipmilan`. */
  readonly agent: string;
  /** Lower-cased names of the nodes that it can switch off, each with the agent's `port` (plug) for it, or `null`. */
  readonly ports: Readonly<Record<string, string | null>>;
  /** Handed to the agent as `NAME=VALUE` lines on its standard input. May hold secrets: never shown. */
  readonly options: Readonly<Record<string, string>>;
  /** An attempt through this device takes at most so long; afterwards its outcome is unknown. */
  readonly limitMs: number;
}

export interface ProcessSettings {
  readonly realtime: boolean;
  /** Priority of SCHED_RR, 1 to 99. */
  readonly realtimePriority: number;
  readonly stateDirectory: string;
  readonly controlSocket: string;
  /** Appended to when set; reports always go to standard error too. */
  readonly logFile: string | null;
  /** Of every input of the core, for `simulate replay`; `null`: none is written. */
  readonly journal: JournalSettings | null;
  /** `NAME=VALUE` pairs handed to scripts as `HA_NAME`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where haresources scripts are looked up, in order. */
  readonly scriptDirectories: readonly string[];
}

export interface JournalSettings {
  /** `null`: `journal` in the state directory. A second file beside it, with `.1` behind its name, is the former one. */
  readonly file: string | null;
  /** Most that both files take together. */
  readonly bytesMax: number;
}
