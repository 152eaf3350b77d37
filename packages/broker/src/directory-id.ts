import { type FileSystem, type Random, randomId } from '@naru/base'
import { replaceFile } from '@naru/log'
import { ConfigError } from '@naru/model'

const fileName = 'meta.properties'

export interface Owner {
  readonly fileSystem: FileSystem
  readonly random: Random
  readonly nodeId: number
}

/** What is known of a directory so far. */
interface Identity {
  readonly nodeId?: string | undefined
  readonly directoryId?: string | undefined
  readonly clusterId?: string | undefined
}

/**
 * The id of a log directory, made once and kept in its `meta.properties`: it stays with the disk, wherever that is mounted. Throws
 * ConfigError when the disk is another node's.
 */
export async function directoryIdOf(owner: Owner, path: string): Promise<string> {
  const { random, nodeId } = owner
  const { nodeId: ownerId, directoryId: known, clusterId } = await read(owner, path)
  if (ownerId !== undefined && Number(ownerId) !== nodeId)
    throw strangersDisk(ownerId, nodeId, path)
  if (known !== undefined && ownerId !== undefined) return known
  const directoryId = known ?? randomId(random)
  await write(owner, path, { directoryId, clusterId })
  return directoryId
}

/** Notes in a directory which cluster it belongs to. Throws ConfigError when it is another one: nothing of that may be touched. */
export async function claimForCluster(
  owner: Owner,
  path: string,
  clusterId: string,
): Promise<void> {
  const directoryId = await directoryIdOf(owner, path)
  const { clusterId: known } = await read(owner, path)
  if (known === clusterId) return
  if (known !== undefined) throw strangersCluster(known, clusterId, path)
  await write(owner, path, { directoryId, clusterId })
}

async function read({ fileSystem }: Owner, path: string): Promise<Identity> {
  const file = `${path}/${fileName}`
  const isThere = (await fileSystem.stat(file)) !== undefined
  const text = isThere ? (await fileSystem.readFile(file)).toString('utf8') : ''
  return {
    nodeId: /^node\.id=(\d+)$/m.exec(text)?.[1],
    directoryId: /^directory\.id=([A-Za-z0-9_-]{22})$/m.exec(text)?.[1],
    clusterId: /^cluster\.id=(\S+)$/m.exec(text)?.[1],
  }
}

async function write(
  { fileSystem, nodeId }: Owner,
  path: string,
  { directoryId, clusterId }: Identity,
): Promise<void> {
  const cluster = clusterId === undefined ? [] : [`cluster.id=${clusterId}`]
  const lines = ['version=1', `node.id=${nodeId}`, ...cluster, `directory.id=${directoryId}`, '']
  await replaceFile(fileSystem, `${path}/${fileName}`, Buffer.from(lines.join('\n')))
}

function strangersDisk(ownerId: string, nodeId: number, where: string): ConfigError {
  return new ConfigError('NARU-CFG-003', {
    message: `The data belongs to node.id ${ownerId}, this broker has ${nodeId}`,
    where,
    hint: `Start with node.id=${ownerId}, or with an empty log.dirs`,
  })
}

function strangersCluster(known: string, clusterId: string, where: string): ConfigError {
  return new ConfigError('NARU-CFG-003', {
    message: `The data belongs to cluster ${known}, this broker is of cluster ${clusterId}`,
    where,
    hint: `Start with the log.dirs of cluster ${clusterId} or an empty one; or, to serve this data, with the metadata.log.dir and the voters of cluster ${known}`,
  })
}
