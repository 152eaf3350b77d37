import type { Refusal } from '@naru/raft'

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

/** What a replica answers when it cannot do what it is asked. `refusal` says why, for REFUSED. */
export class ConsensusError extends Error {
  override readonly name = 'ConsensusError'
  readonly code: 'NOT_LEADER' | 'REFUSED' | 'LEADERSHIP_LOST' | 'SNAPSHOT_LOST'
  readonly refusal: Refusal | undefined

  constructor(code: ConsensusError['code'], message: string, refusal?: Refusal) {
    super(message)
    this.code = code
    this.refusal = refusal
  }
}
