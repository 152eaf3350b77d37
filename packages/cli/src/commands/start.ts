import { readFileSync } from 'node:fs'
import module from 'node:module'
import type { Logger, MessageNetwork } from '@naru/base'
import {
  type BrokerConfig,
  type BrokerOptions,
  createBroker,
  isBrokerKey,
  resolveConfig,
} from '@naru/broker'
import { type SupportedFeature, supportedFeatures } from '@naru/metadata'
import { ConfigError, environmentSettings, parseProperties, type Setting } from '@naru/model'
import {
  bootId,
  collectForThroughput,
  createPinoLogger,
  nodeFileSystem,
  systemClock,
  systemRandom,
  tcpTransport,
} from '@naru/platform'
import { exitCodes } from '../exit-codes.ts'
import { configFailure, Failure } from '../failure.ts'
import { startFailure } from '../start-failure.ts'
import { fromHere } from '../working-directory.ts'

export interface StartOptions {
  readonly config?: string
  readonly set: readonly string[]
}

/** Variables that mean something to commands that ask a cluster, and nothing to a broker. */
const ofClients: readonly string[] = ['NARU_BOOTSTRAP', 'KAFKA_BOOTSTRAP_SERVERS']

/** Runs one broker until SIGTERM or SIGINT, or until the launcher that forked it is gone. `features`: of this version of the program. */
export async function start(
  options: StartOptions,
  features: readonly SupportedFeature[] = supportedFeatures,
): Promise<void> {
  const { config, unknown } = readConfig(options)
  const logger = await createLogger(config)
  if (unknown.length > 0) logger.warn('unknown-environment', { variables: unknown })
  // From the beginning: without a quorum the start may take for ever, and who is told that it is ready may stop it at once.
  using stop = stopRequested()
  const running = run({ config, logger, features })
  const broker = await Promise.race([running, stop.reason.then(() => undefined)])
  if (broker === undefined) {
    logger.info('broker-stopped', { reason: await stop.reason })
    process.exit(exitCodes.ok)
  }
  // Not before: what the start leaves behind would stay.
  collectForThroughput()
  const { nodeId, clusterId, listeners, grpc, quorum } = broker
  const ready = { nodeId, clusterId, listeners, grpc, quorum }
  logger.info('broker-ready', { ...ready, startMs: Math.round(performance.now()) })
  if (process.connected) process.send?.({ event: 'ready', ...ready })
  module.flushCompileCache()
  const reason = await stop.reason
  logger.info('broker-stopping', { reason })
  await broker[Symbol.asyncDispose]()
  logger.info('broker-stopped')
  process.exit(exitCodes.ok)
}

function readConfig(options: StartOptions): { config: BrokerConfig; unknown: string[] } {
  try {
    const file = options.config === undefined ? [] : readProperties(options.config)
    const environment = environmentSettings(process.env, isBrokerKey)
    const flags = options.set.map((text, index) => flagSetting(text, index))
    const settings = [...file, ...environment.kafka, ...environment.naru, ...flags]
    const unknown = environment.unknown.filter((name) => !ofClients.includes(name))
    return { config: absolute(resolveConfig(settings)), unknown }
  } catch (error) {
    throw error instanceof ConfigError ? configFailure(error) : error
  }
}

function readProperties(name: string): Setting[] {
  const path = fromHere(name)
  try {
    return parseProperties(readFileSync(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const { code } = error as NodeJS.ErrnoException
    const message = `Cannot read the configuration ${path}: ${code}`
    const options = { exitCode: exitCodes.usage, cause: error }
    throw new Failure('UNREADABLE_CONFIGURATION', message, options)
  }
}

function flagSetting(text: string, index: number): Setting {
  const at = text.indexOf('=')
  const where = `--set number ${index + 1}`
  if (at > 0) return { name: text.slice(0, at), value: text.slice(at + 1), where }
  throw new ConfigError('NARU-CFG-003', { message: `Cannot read "${text}"`, where })
}

/** The disk port takes absolute paths; a person may write relative ones. */
function absolute(config: BrokerConfig): BrokerConfig {
  const { logDirs, metadataDir } = config
  return { ...config, logDirs: logDirs.map(fromHere), metadataDir: fromHere(metadataDir) }
}

function createLogger(config: BrokerConfig): Promise<Logger> {
  const format = config.text('naru.log.format')
  const isPretty = format === 'auto' ? process.stdout.isTTY === true : format === 'pretty'
  return createPinoLogger({ level: config.text('naru.log.level'), isPretty })
}

async function run(version: Pick<BrokerOptions, 'config' | 'logger' | 'features'>) {
  const { config, logger } = version
  try {
    return await createBroker({
      ...version,
      clock: systemClock,
      random: systemRandom,
      fileSystem: nodeFileSystem,
      transport: tcpTransport,
      network: await networkOf(config),
      bootId: bootId(),
      onFatal: (error) => {
        logger.error('broker-failed', { err: error })
        process.exit(exitCodes.failed)
      },
    })
  } catch (error) {
    throw startFailure(error)
  }
}

/** gRPC costs memory and time to load: a broker that belongs to nobody else goes without. */
async function networkOf({ internal }: BrokerConfig): Promise<MessageNetwork | undefined> {
  if (internal === undefined) return undefined
  const { createGrpcNetwork } = await import('@naru/rpc')
  return createGrpcNetwork(systemClock)
}

/**
 * SIGINT reaches launcher and broker alike on a terminal: a forked broker leaves it to its launcher. Until it is disposed of, which a
 * start that fails does, it keeps the process alive.
 */
function stopRequested(): Disposable & { readonly reason: Promise<string> } {
  const { promise: reason, resolve } = Promise.withResolvers<string>()
  const launcherGone = () => resolve('launcher gone')
  process.on('SIGTERM', () => resolve('SIGTERM'))
  process.on('SIGHUP', () => resolve('SIGHUP'))
  if (process.send === undefined) process.on('SIGINT', () => resolve('SIGINT'))
  else {
    process.on('SIGINT', () => {})
    process.on('disconnect', launcherGone)
    if (!process.connected) launcherGone()
  }
  // Timers of the broker do not keep the process alive; waiting for a stop does.
  const waiting = setInterval(() => {}, 2 ** 30)
  return {
    reason,
    [Symbol.dispose]() {
      clearInterval(waiting)
      process.off('disconnect', launcherGone)
    },
  }
}
