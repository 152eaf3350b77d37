import { readFileSync } from 'node:fs'
import module from 'node:module'
import { resolve } from 'node:path'
import { type Logger, TransportError } from '@naru/base'
import {
  type BrokerConfig,
  ConfigError,
  createBroker,
  environmentSettings,
  isBrokerKey,
  parseProperties,
  resolveConfig,
  type Setting,
} from '@naru/broker'
import { MetadataStoreError } from '@naru/consensus'
import {
  createPinoLogger,
  nodeFileSystem,
  systemClock,
  systemRandom,
  tcpTransport,
} from '@naru/platform'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'

export interface StartOptions {
  readonly config?: string
  readonly set: readonly string[]
}

/** Runs one broker until SIGTERM or SIGINT, or until the launcher that forked it is gone. */
export async function start(options: StartOptions): Promise<void> {
  const { config, unknown } = readConfig(options)
  const logger = await createLogger(config)
  if (unknown.length > 0) logger.warn('unknown-environment', { variables: unknown })
  const broker = await run(config, logger)
  const ready = { nodeId: broker.nodeId, clusterId: broker.clusterId, listeners: broker.listeners }
  logger.info('broker-ready', { ...ready, startMs: Math.round(performance.now()) })
  process.send?.({ event: 'ready', ...ready })
  module.flushCompileCache()
  const reason = await stopRequested()
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
    return { config: absolute(resolveConfig(settings)), unknown: environment.unknown }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { message, code, hint } = error
    throw new Failure(message, { exitCode: exitCodes.usage, code, hint, cause: error })
  }
}

function readProperties(name: string): Setting[] {
  const path = resolve(process.env['INIT_CWD'] ?? '.', name)
  try {
    return parseProperties(readFileSync(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new Failure(`Cannot read the configuration ${path}`, {
      exitCode: exitCodes.usage,
      code: 'NARU-CFG-004',
      hint: 'Give a file in the form of server.properties with -c',
      cause: error,
    })
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
  const from = (path: string) => resolve(process.env['INIT_CWD'] ?? '.', path)
  return {
    ...config,
    logDirs: config.logDirs.map(from),
    metadataDir: from(config.metadataDir),
  }
}

function createLogger(config: BrokerConfig): Promise<Logger> {
  const format = config.text('naru.log.format')
  const isPretty = format === 'auto' ? process.stdout.isTTY === true : format === 'pretty'
  return createPinoLogger({ level: config.text('naru.log.level'), isPretty })
}

async function run(config: BrokerConfig, logger: Logger) {
  try {
    return await createBroker({
      config,
      logger,
      clock: systemClock,
      random: systemRandom,
      fileSystem: nodeFileSystem,
      transport: tcpTransport,
      onFatal: (error) => {
        logger.error('broker-failed', { err: error })
        process.exit(exitCodes.failed)
      },
    })
  } catch (error) {
    throw startFailure(error)
  }
}

/** What commonly keeps a broker from starting, in words. */
function startFailure(error: unknown): unknown {
  const exitCode = exitCodes.failed
  if (error instanceof TransportError && error.code === 'EADDRINUSE') {
    const hint = 'Another program listens there: stop it, or choose other listeners'
    return new Failure(error.message, { exitCode, code: 'NARU-NET-001', hint, cause: error })
  }
  if (error instanceof MetadataStoreError || error instanceof ConfigError) {
    const { message, hint } = error
    return new Failure(message, { exitCode, code: error.code, hint, cause: error })
  }
  return error
}

/** SIGINT reaches launcher and broker alike on a terminal: a forked broker leaves it to its launcher. */
function stopRequested(): Promise<string> {
  return new Promise((resolveStop) => {
    process.on('SIGTERM', () => resolveStop('SIGTERM'))
    process.on('SIGHUP', () => resolveStop('SIGHUP'))
    if (process.send === undefined) process.on('SIGINT', () => resolveStop('SIGINT'))
    else {
      process.on('SIGINT', () => {})
      process.on('disconnect', () => resolveStop('launcher gone'))
    }
    // Timers of the broker do not keep the process alive; waiting for a stop does.
    setInterval(() => {}, 2 ** 30)
  })
}
