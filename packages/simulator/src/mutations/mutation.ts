/** A change of the source that takes a rule away, so that it can be seen whether anybody notices. */
export interface Mutation extends Edit {
  readonly rule: string
  /** From the root of the repository. */
  readonly file: string
  /** A second place that has to change with it. */
  readonly and?: Edit
  /** The walks cannot see it; something else does, as said. */
  readonly shownBy?: string
}

export interface Edit {
  /** Occurs just once in the file. */
  readonly from: string
  readonly to: string
}
