/** Where the feature speed formula holds in a graph: at calls through which all paths lead from the weights before them to the loss. */

/** A graph of calls in an order of the forward pass: the successors of call i, all > i; `SINK` is the loss. */
export interface Flow {
  readonly successors: readonly (readonly number[])[];
  /** Calls that use trained weights, in groups of those that use the same. */
  readonly weights: readonly (readonly number[])[];
}

/** The loss, as a successor. */
export const SINK = Number.POSITIVE_INFINITY;

/** What lies before each call, and whether it all passes there. */
export interface Cuts {
  /** Groups of weights that call i depends on, its own too. */
  readonly before: readonly (readonly number[])[];
  /** Whether every path from these weights to the loss passes call i: Thm 2.1 holds there. */
  readonly isCut: readonly boolean[];
  /** Whether call i is on every path to the loss from any trained weight that is not used behind it alone. */
  readonly isGlobal: readonly boolean[];
  /** Calls that depend on call i, itself not. */
  readonly behind: readonly ReadonlySet<number>[];
}

/**
 * Finds the cuts by post-dominators: call v post-dominates u when every path from u to the loss passes v. The immediate one of u is
 * where the paths through all its successors first meet (Cooper, Harvey and Kennedy; one pass, since there is no cycle).
 */
export function findCuts({ successors, weights }: Flow): Cuts {
  const count = successors.length;
  const next = new Array<number>(count).fill(SINK);
  const meet = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      if (x < y) x = next[x]!;
      else y = next[y]!;
    }
    return x;
  };
  const reaches: boolean[] = [];
  for (let i = count - 1; i >= 0; i--) {
    // A path that does not reach the loss carries nothing.
    const alive = successors[i]!.filter((to) => to === SINK || reaches[to]);
    reaches[i] = alive.length > 0;
    if (alive.length > 0) next[i] = alive.reduce(meet);
  }
  const passes = (u: number, v: number): boolean => {
    if (!reaches[u]) return true;
    let at = u;
    while (at < v) at = next[at]!;
    return at === v;
  };
  const ahead: Set<number>[] = [];
  for (let i = count - 1; i >= 0; i--) {
    ahead[i] = new Set(successors[i]!.filter((to) => to !== SINK).flatMap((to) => [to, ...ahead[to]!]));
  }
  const before = successors.map((_, v) =>
    weights.flatMap((uses, group) => (uses.some((u) => u === v || ahead[u]!.has(v)) ? [group] : [])),
  );
  const isCut = successors.map((_, v) =>
    before[v]!.every((group) => weights[group]!.every((u) => passes(u, v))),
  );
  return {
    before,
    isCut,
    isGlobal: successors.map(
      (_, v) =>
        reaches[v]! &&
        weights.every((uses) => uses.every((u) => passes(u, v)) || uses.every((u) => ahead[v]!.has(u))),
    ),
    behind: ahead,
  };
}
