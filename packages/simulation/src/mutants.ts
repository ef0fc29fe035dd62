/**
 * The committed mutants: each must be caught by its suite within 200 seeds (npm run sim -- --mutants).
 */
import type { Mutant } from "./mutant.ts"

export const MUTANTS: readonly Mutant[] = []
