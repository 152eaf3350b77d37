/** How a broker joins its cluster once it can be reached, and what its disks remember of that. */
import type { Address, FileSystem } from '@naru/base'
import { internalListener, type MetadataRuntime } from '@naru/consensus'
import type { LogDirectory } from '@naru/log'
import type { RegisteredDirectory } from '@naru/metadata'
import type { BrokerOptions } from './broker.ts'
import type { BrokerConfig } from './config.ts'
import type { Endpoint } from './endpoints.ts'
import { grpcListener } from './grpc-listener.ts'
import { type Applicant, applyWith, writeSession } from './session-file.ts'

/** The log directories by id. */
export type Directories = ReadonlyMap<string, Pick<LogDirectory, 'path' | 'offline'>>

/** Registers, has every disk remember it, and takes part. */
export async function join(
  options: BrokerOptions,
  metadata: MetadataRuntime,
  started: {
    readonly listeners: readonly Endpoint[]
    readonly grpc: Address | undefined
    readonly directories: Directories
    /** Its epoch is known, at the start and after each registration that follows. */
    readonly onRegistered: (brokerEpoch: bigint) => Promise<void>
  },
): Promise<void> {
  const { config, fileSystem, bootId } = options
  const { listeners, grpc, directories, onRegistered } = started
  const internal = config.internal === undefined ? undefined : metadata.internalAddress
  const endpoints = [
    ...advertised(config, listeners),
    ...named(grpcListener, grpc),
    ...named(internalListener, internal),
  ]
  const { incarnationId } = metadata
  const registration = async () => ({
    rack: config.rack,
    endpoints,
    directories: await registeredDirectories(fileSystem, directories, {
      ...{ bootId, incarnationId },
      registered: metadata.image.brokers.get(config.nodeId),
    }),
  })
  await metadata.membership.register(registration, async (brokerEpoch) => {
    const session = { brokerEpoch, bootId, incarnationId, isClean: false }
    for (const [, { path }] of online(directories)) await writeSession(fileSystem, path, session)
    await onRegistered(brokerEpoch)
  })
  await metadata.membership.takePart()
}

/**
 * What the disks say of themselves now. One that has failed is none of this broker's any more until the process is started anew: its
 * replicas count for nothing, since what was written last may not be there.
 */
export async function registeredDirectories(
  fileSystem: FileSystem,
  directories: Directories,
  applicant: Applicant,
): Promise<RegisteredDirectory[]> {
  const found: RegisteredDirectory[] = []
  for (const [directoryId, { path }] of online(directories)) {
    found.push({ directoryId, ...(await applyWith(fileSystem, path, applicant)) })
  }
  return found
}

function online(directories: Directories) {
  return [...directories].filter(([, { offline }]) => offline === undefined)
}

/** Everything on the disk is flushed, and nothing will be written any more. */
export async function noteCleanStop(
  { fileSystem, bootId }: BrokerOptions,
  { incarnationId, membership: { brokerEpoch } }: MetadataRuntime,
  path: string,
): Promise<void> {
  if (brokerEpoch === undefined) return
  await writeSession(fileSystem, path, { brokerEpoch, bootId, incarnationId, isClean: true })
}

/** Port 0 stands for the port that was really bound, an empty host for this machine. */
function advertised(config: BrokerConfig, bound: readonly Endpoint[]): Endpoint[] {
  return config.advertised.map(({ listener, host, port }) => ({
    listener,
    host: host === '' || host === '0.0.0.0' || host === '::' ? 'localhost' : host,
    port: port === 0 ? (bound.find((each) => each.listener === listener)?.port ?? 0) : port,
  }))
}

function named(listener: string, address: Address | undefined): Endpoint[] {
  return address === undefined ? [] : [{ listener, ...address }]
}
