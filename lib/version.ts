/** Version of this software, as `--version` prints it and heartbeats tell it. */
export const version = "0.1.0";
