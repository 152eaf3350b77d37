/** One round of fetching: all partitions of a consumer at once, each from its leader or from the replica that is nearer. */
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import type { Cluster } from './cluster.ts'
import type { Connection } from './connection.ts'
import { checkAnswer, NaruError } from './errors.ts'
import type { ReadReplicas } from './read-replicas.ts'
import type { TopicView } from './topic-view.ts'

export interface Cursor {
  readonly partition: number
  offset: bigint
  /** Exclusive; undefined to follow. */
  readonly end: bigint | undefined
}

export interface FetchOptions {
  readonly topic: string
  readonly replicas: ReadReplicas
  /** Empty where it does not matter who answers. */
  readonly rack: string
  readonly isReadCommitted: boolean
}

type Fetched = readonly [Cursor, Buffer]
type FetchedPartition = ResponseOf<typeof apis.fetch>['responses'][number]['partitions'][number]

const noDirectory = 'AAAAAAAAAAAAAAAAAAAAAA'
const waitMs = 500
const fetchBytes = 16 << 20
const partitionBytes = 1 << 20
const noBytes = Buffer.alloc(0)

/** What there is from each cursor on. */
export function fetchAll(
  cluster: Cluster,
  cursors: readonly Cursor[],
  options: FetchOptions,
): Promise<Fetched[]> {
  const { topic, replicas } = options
  return cluster.retry(async (tries) => {
    const isStale = replicas.takeDoubt() || tries > 0
    const round = new FetchRound(await cluster.topic(topic, { isStale }), options)
    const byReplica = Map.groupBy(cursors, ({ partition }) => replicas.of(partition))
    const atLeaders = byReplica.get(undefined) ?? []
    byReplica.delete(undefined)
    const elsewhere = [...byReplica].map(([nodeId, mine]) =>
      round.fromReplica(cluster.broker(nodeId as number), mine),
    )
    const fetches = await fromLeaders(cluster, atLeaders, { topic, round })
    return (await Promise.all([...elsewhere, ...fetches])).flat()
  })
}

/** Who stays at the leader for now does not tell it a rack, and so asks apart. */
async function fromLeaders(
  cluster: Cluster,
  cursors: readonly Cursor[],
  { topic, round }: { topic: string; round: FetchRound },
): Promise<Promise<Fetched[]>[]> {
  const byPartition = new Map(cursors.map((cursor) => [cursor.partition, cursor]))
  const leaders = await cluster.leaders({ topic, partitions: [...byPartition.keys()] })
  return leaders.flatMap(({ connection, partitions }) => {
    const led = partitions.map((partition) => byPartition.get(partition) as Cursor)
    return round.byRack(led).map(([rackId, mine]) => round.fromLeader(connection, mine, rackId))
  })
}

class FetchRound {
  readonly #view: TopicView
  readonly #options: FetchOptions

  constructor(view: TopicView, options: FetchOptions) {
    this.#view = view
    this.#options = options
  }

  byRack(cursors: readonly Cursor[]): [rackId: string, Cursor[]][] {
    const { rack, replicas } = this.#options
    return [...Map.groupBy(cursors, ({ partition }) => (replicas.tellsRack(partition) ? rack : ''))]
  }

  async fromLeader(
    connection: Connection,
    cursors: readonly Cursor[],
    rackId: string,
  ): Promise<Fetched[]> {
    const { topic } = this.#options
    const answered = await this.#ask(connection, cursors, rackId)
    return answered.map(([cursor, found]) => {
      const what = `read ${topic}/${cursor.partition} at offset ${cursor.offset}`
      checkAnswer(found.errorCode, what, { at: connection.address })
      return this.#taken(cursor, found)
    })
  }

  /** Never fails: whatever is wrong there, the leader says what is right. */
  async fromReplica(
    connecting: Promise<Connection>,
    cursors: readonly Cursor[],
  ): Promise<Fetched[]> {
    const { replicas, rack } = this.#options
    try {
      const answered = await this.#ask(await connecting, cursors, rack)
      return answered.map(([cursor, found]) => {
        if (found.errorCode !== 0) replicas.leave(cursor.partition)
        return this.#taken(cursor, found)
      })
    } catch (error) {
      if (!(error instanceof NaruError)) throw error
      for (const { partition } of cursors) replicas.leave(partition)
      return []
    }
  }

  #taken(cursor: Cursor, { errorCode, preferredReadReplica, records }: FetchedPartition): Fetched {
    const isSentOn = errorCode === 0 && preferredReadReplica >= 0
    if (isSentOn) this.#options.replicas.prefer(cursor.partition, preferredReadReplica)
    return [cursor, records ?? noBytes]
  }

  async #ask(
    connection: Connection,
    cursors: readonly Cursor[],
    rackId: string,
  ): Promise<[Cursor, FetchedPartition][]> {
    const asked = this.#request(cursors, rackId)
    const answer = await connection.request(apis.fetch, asked, { waitMs })
    checkAnswer(answer.errorCode, `read ${this.#options.topic}`, { at: connection.address })
    const byPartition = new Map(cursors.map((cursor) => [cursor.partition, cursor]))
    return answer.responses.flatMap(({ partitions }) =>
      partitions.map((found): [Cursor, FetchedPartition] => [
        byPartition.get(found.partitionIndex) as Cursor,
        found,
      ]),
    )
  }

  /** With the leader epoch that this client knows: who knows another one says so instead of answering (KIP-320). */
  #request(cursors: readonly Cursor[], rackId: string): RequestOf<typeof apis.fetch> {
    const { name: topic, topicId, partitions } = this.#view
    const epochs = new Map(partitions.map((each) => [each.partition, each.leaderEpoch]))
    return {
      clusterId: null,
      replicaState: null,
      replicaId: -1,
      maxWaitMs: waitMs,
      minBytes: 1,
      maxBytes: fetchBytes,
      isolationLevel: this.#options.isReadCommitted ? 1 : 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topic,
          topicId,
          partitions: cursors.map(({ partition, offset }) => ({
            partition,
            currentLeaderEpoch: epochs.get(partition) ?? -1,
            fetchOffset: offset,
            lastFetchedEpoch: -1,
            logStartOffset: -1n,
            partitionMaxBytes: partitionBytes,
            replicaDirectoryId: noDirectory,
            highWatermark: 0x7fffffffffffffffn,
          })),
        },
      ],
      forgottenTopicsData: [],
      rackId,
    }
  }
}
