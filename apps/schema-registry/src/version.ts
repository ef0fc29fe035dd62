/** The version of this registry: that of its package. */
export const VERSION = "0.1.0"
