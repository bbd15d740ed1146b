/**
 * Confidence intervals for shares and quantiles. Everything is stated at one level, 95 %, so that figures can be
 * compared. Pure.
 */

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A figure with the interval in which the true one lies with 95 % confidence. */
export interface Estimate extends Interval {
  readonly value: number;
}

export const confidence = 0.95;

/** The 97.5 % quantile of the standard normal distribution. */
const z = 1.959963984540054;

/**
 * Wilson's interval for a share of `count` in `total` trials (E. B. Wilson, JASA 22, 1927). `effective` is the number
 * of independent trials that `total` dependent ones are worth; losses in bursts are worth fewer. With nothing counted
 * its upper end is about 3.8 / total; the rule of three (3 / total) is the one-sided figure.
 */
export function wilson(count: number, total: number, effective = total): Estimate {
  if (total === 0) return { value: NaN, low: 0, high: 1 };
  const n = Math.max(1, Math.min(effective, total));
  const share = count / total;
  const centre = share + z * z / (2 * n);
  const half = z * Math.sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const scale = 1 + z * z / n;
  return {
    value: share,
    low: count === 0 ? 0 : Math.max(0, (centre - half) / scale),
    high: count === total ? 1 : Math.min(1, (centre + half) / scale),
  };
}

/**
 * What `total` dependent trials are worth in independent ones, when the outcome of one has the correlation
 * `correlation` with the next (a Markov chain): the variance of the mean grows by (1 + c) / (1 - c).
 */
export function effectiveTrials(total: number, correlation: number): number {
  const c = Math.max(0, Math.min(correlation, 1 - 1 / Math.max(2, total)));
  return total * (1 - c) / (1 + c);
}

/**
 * A quantile with its interval from order statistics, which asks nothing of the distribution: the ranks between which
 * the true quantile lies, by the binomial distribution (David and Nagaraja, *Order Statistics*, 7.1). `high` is
 * Infinity, or `low` 0, where the sample is too small to bound that side. `sorted` is ascending and not empty.
 */
export function quantile(sorted: readonly number[], q: number): Estimate {
  const n = sorted.length;
  const value = sorted[Math.max(0, Math.ceil(q * n) - 1)]!;
  const tail = (1 - confidence) / 2;
  let [below, low, high] = [0, -1, n];
  // `below` is P(X <= k), X the number of values under the true quantile.
  for (let k = 0; k <= n; k++) {
    below += binomial(n, k, q);
    if (below <= tail) low = k;
    if (below >= 1 - tail) {
      high = k;
      break;
    }
  }
  return { value, low: low < 0 ? 0 : sorted[low]!, high: high >= n ? Infinity : sorted[high]! };
}

/** Probability of `k` in `n` trials of probability `p`. */
function binomial(n: number, k: number, p: number): number {
  if (p <= 0) return k === 0 ? 1 : 0;
  if (p >= 1) return k === n ? 1 : 0;
  return Math.exp(
    logFactorial(n) - logFactorial(k) - logFactorial(n - k) + k * Math.log(p) + (n - k) * Math.log1p(-p),
  );
}

/** Stirling's series beyond 20, where it is exact to 1e-12. */
function logFactorial(n: number): number {
  if (n < 20) {
    let sum = 0;
    for (let i = 2; i <= n; i++) sum += Math.log(i);
    return sum;
  }
  const x = n + 1;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3) +
    1 / (1260 * x ** 5);
}
