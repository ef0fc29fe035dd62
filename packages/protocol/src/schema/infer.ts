/**
 * Types computed from table literals. `Decoded` is what a decoder answers: every field present. `Encodable` is what an
 * encoder takes: fields with a default, tagged fields and fields that some versions lack may be left out.
 */
import type { Fields } from "./field.ts"

type Phantom<F> = F extends { readonly phantom?: infer P } ? NonNullable<P> : never
type OptionalNames<F extends Fields> = {
  [K in keyof F]: Phantom<F[K]> extends { readonly optional: true } ? K : never
}[keyof F]

export type DecodedFields<F extends Fields> = {
  -readonly [K in keyof F]: Phantom<F[K]> extends { readonly decoded: infer D } ? D : never
}

type EncodableField<F> = Phantom<F> extends { readonly encodable: infer E } ? E : never

export type EncodableFields<F extends Fields> = {
  -readonly [K in Exclude<keyof F, OptionalNames<F>>]: EncodableField<F[K]>
} & { -readonly [K in OptionalNames<F>]?: EncodableField<F[K]> | undefined }

/** The value that decoding a message yields. */
export type Decoded<M> = M extends { readonly yields?: infer D } ? NonNullable<D> : never

/** The value that encoding a message accepts. */
export type Encodable<M> = M extends { readonly accepts?: infer A }
  ? NonNullable<A> extends (value: infer E) => void
    ? E
    : never
  : never
