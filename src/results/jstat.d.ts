/** The part of jstat that is used; it brings no types. */
declare module 'jstat' {
  const jStat: {
    /** The error function. */
    erf(x: number): number;
    /** Regularised incomplete beta function I_x(a, b). */
    ibeta(x: number, a: number, b: number): number;
    readonly normal: {
      /** P(X <= x). */
      cdf(x: number, mean: number, deviation: number): number;
    };
    readonly studentt: {
      /** Quantile of Student's t. */
      inv(p: number, degreesOfFreedom: number): number;
    };
    readonly hypgeom: {
      /** Probability of k marked ones among n drawn from N of which m are marked. */
      pdf(k: number, N: number, m: number, n: number): number;
    };
  };
  export default jStat;
}
