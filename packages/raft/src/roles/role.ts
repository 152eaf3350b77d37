import type { ReplicaKey } from '../entry.ts'
import type { Message } from '../messages.ts'
import type { Role } from '../ready.ts'

/** What a replica becomes; undefined: it stays what it is. */
export type Transition =
  | undefined
  /** Of its present term, led by `leader` if that is known. */
  | { readonly to: 'follower'; readonly leader: ReplicaKey | undefined }
  /** Without a pre-vote when the leader itself asked for it. */
  | { readonly to: 'candidate'; readonly isHandover: boolean }
  | { readonly to: 'leader' }

/** How a replica acts in its present role. Messages that reach it are of its term; votes are answered elsewhere. */
export interface RoleBehaviour {
  readonly role: Role
  readonly leader: ReplicaKey | undefined
  /** When `elapsed` has to be called, in the milliseconds of the caller's clock. */
  readonly deadlineMs: number
  /** A leader lives that this replica must not help to depose. */
  readonly hasLiveLeader: boolean
  step(message: Message): Transition
  elapsed(): Transition
  /** Something was written to the disk. */
  persisted(): Transition
  /** Last thing before the messages are taken: says what has come together since. */
  emit(): void
  /** It will be something else. */
  end(): void
}
