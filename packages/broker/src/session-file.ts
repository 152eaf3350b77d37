/**
 * What a log directory tells of the last process that used it: the registration it was used under, and how that ended. Written only
 * after a registration is committed: a broker that dies before must report the first, worse end. Such processes leave their names
 * before they register, so that the next one knows which registration was meant by theirs.
 */
import type { FileSystem } from '@naru/base'
import { replaceFile } from '@naru/log'
import type { BrokerImage, Cleanliness } from '@naru/metadata'

const fileName = 'session.json'
/** Processes in a row that died between their registration and the end of it. */
const applicantsMax = 32

export interface Session {
  readonly brokerEpoch: bigint
  /** Of the kernel: what was written before it started anew was in the page cache only if it was flushed. */
  readonly bootId: string
  readonly incarnationId: string
  /** Everything was flushed, and the process has ended since. */
  readonly isClean: boolean
  /** Incarnations that set out to register since: they took no part, and have written nothing. */
  readonly applicants?: readonly string[]
}

export async function writeSession(
  fileSystem: FileSystem,
  directory: string,
  session: Session,
): Promise<void> {
  const text = JSON.stringify({ ...session, brokerEpoch: String(session.brokerEpoch) })
  await replaceFile(fileSystem, `${directory}/${fileName}`, Buffer.from(`${text}\n`))
}

/** A process that is about to register, and what the metadata has of its broker. */
export interface Applicant {
  readonly bootId: string
  readonly incarnationId: string
  readonly registered: BrokerImage | undefined
}

/**
 * How the last process ended on a directory, and under which registration; epoch -1 when nothing tells. From now on the directory is
 * known to have been there under the registration of this one, too, should it not live to write that.
 */
export async function applyWith(
  fileSystem: FileSystem,
  directory: string,
  { bootId, incarnationId, registered }: Applicant,
): Promise<{ readonly cleanliness: Cleanliness; readonly brokerEpoch: bigint }> {
  const session = await readSession(fileSystem, directory)
  if (session === undefined) return { cleanliness: 'unknown', brokerEpoch: -1n }
  const before = session.applicants ?? []
  const others = before.filter((each) => each !== incarnationId)
  const applicants = [...others, incarnationId].slice(-applicantsMax)
  await writeSession(fileSystem, directory, { ...session, applicants })
  const isApplicant = registered !== undefined && before.includes(registered.incarnationId)
  const { brokerEpoch } = isApplicant ? registered : session
  if (session.isClean) return { cleanliness: 'clean', brokerEpoch }
  const isSameRun = bootId !== '' && session.bootId === bootId
  return { cleanliness: isSameRun ? 'process-crash' : 'os-crash', brokerEpoch }
}

async function readSession(
  fileSystem: FileSystem,
  directory: string,
): Promise<Session | undefined> {
  const path = `${directory}/${fileName}`
  if ((await fileSystem.stat(path)) === undefined) return undefined
  try {
    const found: unknown = JSON.parse((await fileSystem.readFile(path)).toString('utf8'))
    return isSession(found) ? { ...found, brokerEpoch: BigInt(found.brokerEpoch) } : undefined
  } catch (error) {
    // Damaged is as good as absent: nothing is known of the directory then.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isSession(
  value: unknown,
): value is Omit<Session, 'brokerEpoch'> & { brokerEpoch: string } {
  if (typeof value !== 'object' || value === null) return false
  const { brokerEpoch, bootId, incarnationId, isClean, applicants } = value as Record<
    string,
    unknown
  >
  const isEpoch = typeof brokerEpoch === 'string' && /^\d{1,19}$/.test(brokerEpoch)
  return (
    isEpoch &&
    typeof bootId === 'string' &&
    typeof incarnationId === 'string' &&
    typeof isClean === 'boolean' &&
    (applicants === undefined || Array.isArray(applicants))
  )
}
