/**
 * `pipe` in the manner of RxJS: operators are functions, applied left to right. Typed to twenty of them; a longer chain
 * is written as two.
 */
export interface Pipeable<Self> {
  pipe(): Self
  pipe<A>(f1: (s: Self) => A): A
  pipe<A, B>(f1: (s: Self) => A, f2: (s: A) => B): B
  pipe<A, B, C>(f1: (s: Self) => A, f2: (s: A) => B, f3: (s: B) => C): C
  pipe<A, B, C, D>(f1: (s: Self) => A, f2: (s: A) => B, f3: (s: B) => C, f4: (s: C) => D): D
  pipe<A, B, C, D, E>(f1: (s: Self) => A, f2: (s: A) => B, f3: (s: B) => C, f4: (s: C) => D, f5: (s: D) => E): E
  pipe<A, B, C, D, E, F>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
  ): F
  pipe<A, B, C, D, E, F, G>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
  ): G
  pipe<A, B, C, D, E, F, G, H>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
  ): H
  pipe<A, B, C, D, E, F, G, H, I>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
  ): I
  pipe<A, B, C, D, E, F, G, H, I, J>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
  ): J
  pipe<A, B, C, D, E, F, G, H, I, J, K>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
  ): K
  pipe<A, B, C, D, E, F, G, H, I, J, K, L>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
  ): L
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
    f13: (s: L) => M,
  ): M
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
    f13: (s: L) => M,
    f14: (s: M) => N,
  ): N
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
    f13: (s: L) => M,
    f14: (s: M) => N,
    f15: (s: N) => O,
  ): O
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
    f13: (s: L) => M,
    f14: (s: M) => N,
    f15: (s: N) => O,
    f16: (s: O) => P,
  ): P
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
    f13: (s: L) => M,
    f14: (s: M) => N,
    f15: (s: N) => O,
    f16: (s: O) => P,
    f17: (s: P) => Q,
  ): Q
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
    f13: (s: L) => M,
    f14: (s: M) => N,
    f15: (s: N) => O,
    f16: (s: O) => P,
    f17: (s: P) => Q,
    f18: (s: Q) => R,
  ): R
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
    f13: (s: L) => M,
    f14: (s: M) => N,
    f15: (s: N) => O,
    f16: (s: O) => P,
    f17: (s: P) => Q,
    f18: (s: Q) => R,
    f19: (s: R) => S,
  ): S
  pipe<A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T>(
    f1: (s: Self) => A,
    f2: (s: A) => B,
    f3: (s: B) => C,
    f4: (s: C) => D,
    f5: (s: D) => E,
    f6: (s: E) => F,
    f7: (s: F) => G,
    f8: (s: G) => H,
    f9: (s: H) => I,
    f10: (s: I) => J,
    f11: (s: J) => K,
    f12: (s: K) => L,
    f13: (s: L) => M,
    f14: (s: M) => N,
    f15: (s: N) => O,
    f16: (s: O) => P,
    f17: (s: P) => Q,
    f18: (s: Q) => R,
    f19: (s: R) => S,
    f20: (s: S) => T,
  ): T
}

/** What every overload does. */
export function applyInTurn(source: unknown, operators: ReadonlyArray<(input: any) => unknown>): any {
  let result = source
  for (const operator of operators) result = operator(result)
  return result
}
