import type { MetadataRuntime } from '@naru/consensus'
import { LogDirectory, OpenFiles, topicPartitionOfDirectory } from '@naru/log'
import type { TopicConfigs } from '@naru/services'
import type { BrokerOptions } from './broker.ts'
import type { BrokerConfig } from './config.ts'
import { claimForCluster, directoryIdOf } from './directory-id.ts'
import { noteCleanStop } from './membership.ts'

/** Opens the log directories, by id; they end with `started`. `onFailed` hears of one that fails later. */
export async function openLogDirectories(
  options: BrokerOptions,
  parts: {
    readonly metadata: MetadataRuntime
    readonly topicConfigs: TopicConfigs
    readonly started: AsyncDisposableStack
    readonly onFailed: (directory: LogDirectory) => void
  },
): Promise<ReadonlyMap<string, LogDirectory>> {
  const { config, logger, fileSystem } = options
  const { metadata, topicConfigs, started, onFailed } = parts
  const openFiles = new OpenFiles(fileSystem, config.number('naru.log.max.open.files'))
  started.defer(() => openFiles.closeAll())
  const owner = { ...options, nodeId: config.nodeId }
  for (const path of new Set([config.metadataDir, ...config.logDirs])) {
    await claimForCluster(owner, path, metadata.image.clusterId)
  }
  const directories = new Map<string, LogDirectory>()
  const failed = (directory: LogDirectory, error: unknown) => {
    logger.error('log-directory-offline', { directory: directory.path, err: error })
    onFailed(directory)
    const offline = [...directories].filter(([, each]) => each.offline !== undefined)
    if (offline.length === directories.size) options.onFatal(error)
    else metadata.membership.directoriesFailed(offline.map(([id]) => id))
  }
  for (const path of config.logDirs) {
    const directory: LogDirectory = await LogDirectory.open({
      ...options,
      path,
      openFiles,
      journal: journalSize(config),
      configOf: (name) => topicConfigs.of(topicPartitionOfDirectory(name)?.topic ?? ''),
      onOffline: (error) => failed(directory, error),
    })
    started.defer(async () => {
      await directory[Symbol.asyncDispose]()
      if (directory.offline === undefined) await noteCleanStop(options, metadata, path)
    })
    directories.set(await directoryIdOf(owner, path), directory)
  }
  return directories
}

function journalSize(config: BrokerConfig) {
  return {
    fileCount: 3,
    fileBytes: config.number('naru.journal.file.bytes'),
    fileBytesMax: config.number('naru.journal.file.max.bytes'),
    fileCountMax: config.number('naru.journal.files.max'),
  }
}
