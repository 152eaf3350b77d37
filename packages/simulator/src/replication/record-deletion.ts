/** Clients that delete what lies at the beginning of a partition (KIP-107), and hold the cluster to what they were told. */
import { type KafkaError, kafkaErrors } from '@naru/model'
import { PartitionHost, storageError } from '@naru/services'
import { mustHold } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { LeaderGuess, type PartitionName } from './leader-guess.ts'
import type { ReplicationWorld } from './replication-world.ts'

const answerMs = 2_000
/** Up to the high watermark, wherever that is. */
const all = -1n

/** Of a partition, up to somewhere in what is committed, where a batch ends or not. */
export function deleteRecords(
  world: ReplicationWorld,
  random: SeededRandom,
  name: PartitionName,
): void {
  const { topic, topicId, partition } = name
  const committed = world.promises.committedOf(topicId, partition)
  const below = random.below(Number(committed.endOffset) + 1)
  const offset = random.chance(0.2) ? all : BigInt(below)
  new LeaderGuess(world, random, name).connection?.ask<bigint | KafkaError>(
    answerMs,
    ({ partitions }, _, done) => {
      const host = partitions?.leading(topic, partition)
      if (!(host instanceof PartitionHost) || host.topicId !== topicId) {
        return done(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
      }
      const wanted = offset === all ? committed.endOffset : offset
      if (wanted > committed.deletedTo) committed.deletedTo = wanted
      const answered = (start: bigint | KafkaError) => {
        if (typeof start === 'bigint') world.promises.deleted(host.log, start)
        done(start)
      }
      host.deleteRecords(offset).then(answered, (error: unknown) => done(storageError(error)))
    },
    (start) => {
      if (typeof start !== 'bigint') return
      mustHold(
        start >= offset,
        'what is answered to be deleted is',
        () => `${committed.name}: ${start} where ${offset} was wanted`,
      )
      committed.begins('what a client was told', start)
    },
  )
}
