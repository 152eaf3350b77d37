/**
 * How a cluster begins: the nodes that the configuration names as voters ask each other who they are. Only when all of them answer
 * and none has anything does the one with the lowest id write the first entry, which names them as the voters, each with its
 * disk. Everybody else starts with an empty log: the founder asks for its vote, or a quorum that exists sends it the log.
 */
import type { Clock, Logger } from '@naru/base'
import type { ReplicaKey } from '@naru/raft'
import type { Hello } from './peers/frame.ts'
import type { LinkEnd } from './peers/peer-link.ts'
import type { QuorumSettings } from './quorum-settings.ts'
import { replicaKey } from './replica-key.ts'
import type { RaftStorage } from './storage/raft-storage.ts'

export interface FoundingOptions {
  readonly nodeId: number
  readonly self: ReplicaKey
  readonly quorum: QuorumSettings
  readonly openStorage: () => Promise<RaftStorage>
  readonly greet: (nodeId: number) => Promise<Hello | LinkEnd>
  /** From here on the log counts as one with something in it. */
  readonly onFounding: () => void
  readonly clock: Clock
  readonly logger: Logger
}

const retryMs = 100
const saidEveryMs = 5_000

/** The storage, with its first voters in the log if it is this node that founds the cluster. */
export async function foundedStorage(
  storage: RaftStorage,
  options: FoundingOptions,
): Promise<RaftStorage> {
  const { self, openStorage, onFounding, logger } = options
  if (hasVoters(storage)) return storage
  // A log from before there were voters is that of a broker alone.
  const voters = isEmptyLog(storage) ? await firstVoters(options) : [self]
  if (voters === undefined) return storage
  logger.info('quorum-founded', { voters })
  onFounding()
  await writeFirstVoters(storage, self, voters)
  await storage[Symbol.asyncDispose]()
  return openStorage()
}

export function isEmptyLog({ stored }: RaftStorage): boolean {
  return stored.snapshot === undefined && stored.entries.length === 0
}

function hasVoters({ stored }: RaftStorage): boolean {
  return stored.snapshot !== undefined || stored.entries.some(({ kind }) => kind === 'voters')
}

/** Undefined when this node is not the founder. */
async function firstVoters(options: FoundingOptions): Promise<readonly ReplicaKey[] | undefined> {
  const { nodeId, self, quorum, clock, logger } = options
  const { voters, bootstrapServers } = quorum
  if (voters.size === 0 && bootstrapServers.length === 0) return [self]
  if (!voters.has(nodeId) || Math.min(...voters.keys()) !== nodeId) return undefined
  const others = [...voters.keys()].filter((id) => id !== nodeId)
  for (let saidMs = Number.NEGATIVE_INFINITY; ; ) {
    const answers = await Promise.all(others.map((id) => greetNode(options, id)))
    const present = answers.filter((hello) => hello !== undefined)
    if (present.some(({ isEmpty }) => !isEmpty)) return undefined
    if (present.length === others.length) return [self, ...present.map(replicaKey)].sort()
    if (clock.monotonic() - saidMs >= saidEveryMs) {
      saidMs = clock.monotonic()
      const missing = others.filter((id) => !present.some((hello) => hello.nodeId === id))
      logger.info('quorum-waits-for-nodes', { missing })
    }
    await new Promise<void>((resolve) => clock.setTimer(retryMs, resolve))
  }
}

async function writeFirstVoters(
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
  { greet, logger }: FoundingOptions,
  nodeId: number,
): Promise<Hello | undefined> {
  const answer = await greet(nodeId)
  if (typeof answer !== 'object') return undefined
  if (answer.nodeId === nodeId) return answer
  logger.error('quorum-node-has-another-id', { expected: nodeId, found: answer.nodeId })
  return undefined
}
