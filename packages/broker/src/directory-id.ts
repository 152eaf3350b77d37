import type { FileSystem, Random } from '@naru/base'
import { ConfigError } from '@naru/model'

const fileName = 'meta.properties'

export interface Owner {
  readonly fileSystem: FileSystem
  readonly random: Random
  readonly nodeId: number
}

/**
 * The id of a log directory, made once and kept in its `meta.properties`: it stays with the disk, wherever that is mounted. Throws
 * ConfigError when the disk is another node's.
 */
export async function directoryIdOf(owner: Owner, path: string): Promise<string> {
  const { fileSystem, random, nodeId } = owner
  const file = `${path}/${fileName}`
  const isThere = (await fileSystem.stat(file)) !== undefined
  const text = isThere ? (await fileSystem.readFile(file)).toString('utf8') : ''
  const known = /^directory\.id=([A-Za-z0-9_-]{22})$/m.exec(text)?.[1]
  const ownerId = /^node\.id=(\d+)$/m.exec(text)?.[1]
  if (ownerId !== undefined && Number(ownerId) !== nodeId)
    throw strangersDisk(ownerId, nodeId, path)
  if (known !== undefined && ownerId !== undefined) return known
  const id = known ?? random.bytes(16).toString('base64url')
  await write(owner, path, `version=1\nnode.id=${nodeId}\ndirectory.id=${id}\n`)
  return id
}

async function write({ fileSystem }: Owner, path: string, text: string): Promise<void> {
  const file = `${path}/${fileName}`
  const handle = await fileSystem.open(`${file}.tmp`, 'write')
  try {
    await handle.write([Buffer.from(text)], 0)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await fileSystem.rename(`${file}.tmp`, file)
  await fileSystem.syncDirectory(path)
}

function strangersDisk(ownerId: string, nodeId: number, where: string): ConfigError {
  return new ConfigError('NARU-CFG-003', {
    message: `The data belongs to node.id ${ownerId}, this broker has ${nodeId}`,
    where,
    hint: `Start with node.id=${ownerId}, or with an empty log.dirs`,
  })
}
