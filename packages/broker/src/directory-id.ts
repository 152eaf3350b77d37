import type { FileSystem, Random } from '@naru/base'

const fileName = 'meta.properties'

/** The id of a log directory, made once and kept in its `meta.properties`: it stays with the disk, wherever that is mounted. */
export async function directoryIdOf(
  { fileSystem, random }: { fileSystem: FileSystem; random: Random },
  path: string,
): Promise<string> {
  const file = `${path}/${fileName}`
  if ((await fileSystem.stat(file)) !== undefined) {
    const text = (await fileSystem.readFile(file)).toString('utf8')
    const id = /^directory\.id=([A-Za-z0-9_-]{22})$/m.exec(text)?.[1]
    if (id !== undefined) return id
  }
  const id = random.bytes(16).toString('base64url')
  const handle = await fileSystem.open(`${file}.tmp`, 'write')
  try {
    await handle.write([Buffer.from(`version=1\ndirectory.id=${id}\n`)], 0)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await fileSystem.rename(`${file}.tmp`, file)
  await fileSystem.syncDirectory(path)
  return id
}
