/** The metadata on this machine cannot be used: locked, damaged, or of another cluster or node. */
export class MetadataStoreError extends Error {
  override readonly name = 'MetadataStoreError'
  readonly code: 'DIRECTORY_LOCKED' | 'METADATA_CORRUPT' | 'IDENTITY_MISMATCH' | 'APPEND_FAILED'
  readonly directory: string
  readonly hint: string

  constructor(
    code: MetadataStoreError['code'],
    problem: { directory: string; message: string; hint: string; cause?: unknown },
  ) {
    super(problem.message, { cause: problem.cause })
    this.code = code
    this.directory = problem.directory
    this.hint = problem.hint
  }
}
