import { connect, NaruError } from '@naru/client'
import { warn } from '../style.ts'
import { bootstrapOf } from './dev-report.ts'
import type { Ready } from './local-cluster.ts'

/** As many vote as in a cluster that begins with these brokers. */
const votersMax = 3

/**
 * Gives votes to brokers that were added to a smaller cluster, so that it survives what one of that size is expected to survive. A
 * broker that gets none serves all the same, and people are told.
 */
export async function giveVotes(brokers: readonly Ready[]): Promise<readonly Ready[]> {
  const ids = brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b)
  await using client = await connect(bootstrapOf(brokers[0]))
  const { cluster } = client.admin
  const before = await cluster.quorum()
  for (const id of ids.slice(0, votersMax)) {
    const observer = before.observers.find(({ nodeId }) => nodeId === id)
    if (observer?.directoryId === undefined) continue
    try {
      await cluster.addVoter({ nodeId: id, directoryId: observer.directoryId })
    } catch (error) {
      if (!(error instanceof NaruError)) throw error
      warn(`broker ${id} has no vote yet: ${error.message}; \`naru quorum add ${id}\` gives it one`)
    }
  }
  const { leader: leaderId, leaderEpoch, voters } = await cluster.quorum()
  const quorum = { leaderId, leaderEpoch, voters: voters.map(({ nodeId }) => nodeId) }
  return brokers.map((broker) => ({ ...broker, quorum }))
}
