/**
 * How a cluster begins: the nodes that the configuration names as voters ask each other who they are. Only when all of them answer
 * and none has anything does the one with the lowest id write the first entry, which names them as the voters, each with its
 * disk. Everybody else starts with an empty log: the founder asks for its vote, or a quorum that exists sends it the log.
 */
import type { Address, Clock, Logger } from '@naru/base'
import type { ReplicaKey } from '@naru/raft'
import type { Hello } from './peers/frame.ts'
import type { LinkEnd } from './peers/peer-link.ts'
import { replicaKey } from './replica-key.ts'
import type { RaftStorage } from './storage/raft-storage.ts'

export interface FirstQuorumOptions {
  readonly nodeId: number
  readonly self: ReplicaKey
  /** By node id; empty is this node alone. */
  readonly voters: ReadonlyMap<number, Address>
  /** This node is to look for a quorum that exists. */
  readonly isJoining: boolean
  readonly greet: (address: Address) => Promise<Hello | LinkEnd>
  readonly clock: Clock
  readonly logger: Logger
}

const retryMs = 100
const saidEveryMs = 5_000

/** Whether the log on the disk says who votes, which only an empty one does not. */
export function hasVoters({ stored }: RaftStorage): boolean {
  return stored.snapshot !== undefined || stored.entries.some(({ kind }) => kind === 'voters')
}

/** The voters that this node has to write into its empty log as the founder of the cluster; undefined when it is not the founder. */
export async function firstVoters(
  options: FirstQuorumOptions,
): Promise<readonly ReplicaKey[] | undefined> {
  const { nodeId, self, voters, isJoining } = options
  if (isJoining) return undefined
  if (voters.size === 0) return [self]
  if (Math.min(...voters.keys()) !== nodeId) return undefined
  const others = [...voters.keys()].filter((id) => id !== nodeId)
  let saidMs = Number.NEGATIVE_INFINITY
  for (;;) {
    const answers = await Promise.all(others.map((id) => greetNode(options, id)))
    const present = answers.filter((hello) => hello !== undefined)
    if (present.some(({ isEmpty }) => !isEmpty)) return undefined
    if (present.length === others.length) return [self, ...present.map(replicaKey)].sort()
    const nowMs = options.clock.monotonic()
    if (nowMs - saidMs >= saidEveryMs) {
      saidMs = nowMs
      const missing = others.filter((id) => !present.some((hello) => hello.nodeId === id))
      options.logger.info('quorum-waits-for-nodes', { missing })
    }
    await new Promise<void>((resolve) => options.clock.setTimer(retryMs, resolve))
  }
}

/** Writes the first entry into an empty log, or after the entries of a log from before there were voters. */
export async function writeFirstVoters(
  storage: RaftStorage,
  self: ReplicaKey,
  voters: readonly ReplicaKey[],
): Promise<void> {
  const { entries, hardState } = storage.stored
  const last = entries.at(-1)
  const term = last === undefined || last.term < 1n ? 1n : last.term
  await storage.persist({
    hardState: { term: hardState.term > term ? hardState.term : term, vote: self },
    reset: undefined,
    entries: [{ index: (last?.index ?? 0n) + 1n, term, kind: 'voters', voters }],
  })
}

/** Who answers at the address of a named node, if it is that node. */
async function greetNode(
  { voters, greet, logger }: FirstQuorumOptions,
  nodeId: number,
): Promise<Hello | undefined> {
  const answer = await greet(voters.get(nodeId) as Address)
  if (typeof answer !== 'object') return undefined
  if (answer.nodeId === nodeId) return answer
  logger.error('quorum-node-has-another-id', { expected: nodeId, found: answer.nodeId })
  return undefined
}
