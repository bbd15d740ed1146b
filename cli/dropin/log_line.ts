/** Lines as Heartbeat's programs write them to standard error. */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Nov 25 13:56:56`, local time. */
export function logTime(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(":");
  return `${months[now.getMonth()]} ${two(now.getDate())} ${time}`;
}
