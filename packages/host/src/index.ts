// Programs that use us have Node's types then, whatever their tsconfig says: Buffer is in the types of all our packages.
/// <reference types="node" />
export * from "./buffer-loan.ts"
export * from "./buffer-pool.ts"
export * from "./clock.ts"
export * from "./disk.ts"
export * from "./host.ts"
export * from "./invariant.ts"
export * from "./memory-net.ts"
export * from "./net.ts"
export * from "./random.ts"
export * from "./tracer.ts"
