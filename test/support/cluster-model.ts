/** Our handlers on a socket, over a cluster that is made up: states that real brokers do not easily get into. */
import { silentLogger } from '@naru/base'
import { createHandlers, type Ports } from '@naru/kafka-api'
import { emptyImage, refusal, supportedFeatures } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { Dispatcher, Listener } from '@naru/network'
import { systemClock, tcpTransport } from '@naru/platform'
import type { ClusterAdmin, FeatureUpdate, QuorumStatus, VoterKey } from '@naru/services'

const limits = {
  connectionsMax: 100,
  connectionsPerIpMax: 100,
  idleMs: 600_000,
  requestBytesMax: 1 << 20,
  inWorkBytesMax: 1 << 20,
}

export class ClusterModel implements ClusterAdmin, AsyncDisposable {
  controllerId = 2
  readonly image = emptyImage()
  status: QuorumStatus
  readonly updated: FeatureUpdate[] = []
  readonly #listener: Listener

  health(): Promise<never> {
    return Promise.reject(new Error('The Kafka protocol does not ask for it'))
  }

  constructor(clusterId: string, status: QuorumStatus) {
    this.image.clusterId = clusterId
    this.status = status
    const features = supportedFeatures
    const metadata = { image: this.image, lastIndex: 7n, features } as Ports['metadata']
    const ports: Partial<Ports> = { cluster: this, metadata, clock: systemClock }
    const handlers = createHandlers(ports as Ports)
    const onBug = (error: unknown) => {
      throw error
    }
    this.#listener = new Listener({
      name: 'PLAINTEXT',
      address: { host: '127.0.0.1', port: 0 },
      transport: tcpTransport,
      clock: systemClock,
      logger: silentLogger,
      dispatcher: new Dispatcher({ handlers, logger: silentLogger, onBug }),
      limits,
    })
  }

  /** Every broker has the address of this one. */
  async start(brokers: readonly { nodeId: number; isFenced: boolean }[]): Promise<string> {
    const { port } = await this.#listener.start()
    const endpoints = [{ listener: 'PLAINTEXT', host: '127.0.0.1', port }]
    const nothing = {
      brokerEpoch: 1n,
      incarnationId: '',
      metadataDirectory: '',
      rack: null,
      directories: [],
      features: [],
      isShuttingDown: false,
      offlineDirectories: [],
    }
    for (const broker of brokers) {
      this.image.brokers.set(broker.nodeId, { ...nothing, ...broker, endpoints })
    }
    return `127.0.0.1:${port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.stop()
  }

  async quorum() {
    return this.status
  }

  async addVoter({ nodeId, directoryId }: VoterKey) {
    const { voters, observers } = this.status
    if (voters.some((voter) => voter.nodeId === nodeId)) {
      return refusal(kafkaErrors.DUPLICATE_VOTER, `node ${nodeId} votes already`)
    }
    const isIt = (each: VoterKey) => each.nodeId === nodeId && each.directoryId === directoryId
    const added = observers.filter(isIt)
    const rest = observers.filter((each) => !isIt(each))
    this.status = { ...this.status, voters: [...voters, ...added], observers: rest }
    return undefined
  }

  async removeVoter({ nodeId, directoryId }: VoterKey) {
    const isIt = (each: VoterKey) => each.nodeId === nodeId && each.directoryId === directoryId
    const voters = this.status.voters.filter((voter) => !isIt(voter))
    if (voters.length === this.status.voters.length) {
      return refusal(kafkaErrors.VOTER_NOT_FOUND, `node ${nodeId} has no vote with that directory`)
    }
    this.status = { ...this.status, voters }
    return undefined
  }

  async transferLeader() {
    return undefined
  }

  async unregisterBroker(nodeId: number) {
    if (this.image.brokers.delete(nodeId)) return undefined
    return refusal(kafkaErrors.BROKER_ID_NOT_REGISTERED, `there is no broker ${nodeId}`)
  }

  async updateFeatures(
    updates: readonly FeatureUpdate[],
    { validateOnly }: { readonly validateOnly: boolean },
  ) {
    const unknown = updates.find(({ feature }) => feature !== 'metadata.version')
    if (unknown !== undefined) {
      return refusal(kafkaErrors.INVALID_UPDATE_VERSION, `${unknown.feature} is not known here`)
    }
    if (!validateOnly) this.updated.push(...updates)
    return undefined
  }
}
