/**
 * Logarithm and exponential from the four operations alone, so that a seed gives the same run, bit for bit, in every
 * JavaScript engine: `Math.log`, `Math.exp` and `**` may differ in the last digit (ECMA-262, 21.3.2).
 */

const ln2 = 0.6931471805599453;

/** Natural logarithm of a positive number, to about 1e-15. */
export function ln(value: number): number {
  let mantissa = value;
  let exponent = 0;
  while (mantissa >= 1.5) [mantissa, exponent] = [mantissa / 2, exponent + 1];
  while (mantissa < 0.75) [mantissa, exponent] = [mantissa * 2, exponent - 1];
  // ln m = 2 artanh((m − 1) / (m + 1))
  const ratio = (mantissa - 1) / (mantissa + 1);
  let power = ratio;
  let sum = 0;
  for (let n = 1; n < 40; n += 2, power *= ratio * ratio) sum += power / n;
  return 2 * sum + exponent * ln2;
}

/** e to a power between -700 and 700, to about 1e-14 of the result. */
export function exp(power: number): number {
  const halvings = Math.round(power / ln2);
  const rest = power - halvings * ln2;
  let term = 1;
  let sum = 1;
  for (let n = 1; n < 20; n++) {
    term *= rest / n;
    sum += term;
  }
  for (let n = 0; n < Math.abs(halvings); n++) sum = halvings > 0 ? sum * 2 : sum / 2;
  return sum;
}
