/**
 * Who writes. Registries of one group agree on a leader, which alone appends; the others send it what they are asked to
 * write. A registry that is alone leads; the election over the group protocol "sr" is another implementation of this face.
 */
export interface Leadership {
  /** This registry, another one at a URL, or undefined while none is elected. */
  leader(): { readonly self: true } | { readonly self: false; readonly url: string } | undefined
  close(): Promise<void>
}

export const alone: Leadership = { leader: () => ({ self: true }), close: async () => {} }
