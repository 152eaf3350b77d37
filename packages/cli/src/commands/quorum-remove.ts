import { type Admin, NaruError, type QuorumView } from '@naru/client'
import { kafkaErrors } from '@naru/model'
import { confirm } from '../confirmation.ts'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { usage } from '../failure.ts'
import { printRows, type View } from '../output.ts'
import { counted, done } from '../style.ts'

export interface RemoveOptions extends ConnectionOptions {
  /** Undefined takes the one that the quorum knows. */
  readonly directoryId?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
}

interface Removal {
  readonly id: number
  readonly directoryId: string
  readonly isLeader: boolean
  readonly voters: readonly number[]
}

export const view: View<Removal> = {
  kind: 'VoterRemoval',
  name: ({ id }) => String(id),
  fields: [
    { name: 'id', type: 'int32', value: ({ id }) => id },
    { name: 'directoryId', type: 'string', value: ({ directoryId }) => directoryId },
    { name: 'isLeader', type: 'boolean', value: ({ isLeader }) => isLeader },
    { name: 'voters', type: 'int32[]', value: ({ voters }) => voters },
  ],
}

export function run(id: number, options: RemoveOptions): Promise<void> {
  const { format, dryRun: isDry = false } = options
  const activity = `remove voter ${id}`
  return withClient(options, activity, async ({ admin }) => {
    const plan = planOf(id, await admin.cluster.quorum(), options.directoryId)
    if (!isDry && options.yes !== true) {
      await confirm(sentenceOf(plan), { answer: 'y', ask: 'Remove it? (y/n)' })
    }
    if (!isDry) await remove(admin, plan)
    const text = () => (isDry ? `would ${sentenceOf(plan)}\n` : doneText(plan))
    await printRows(view, [plan], { format, text, document: { applied: !isDry } })
  })
}

/** A leader that is removed may step down before it can say so: then the quorum says it. */
async function remove({ cluster }: Admin, { id, directoryId }: Removal): Promise<void> {
  try {
    await cluster.removeVoter({ nodeId: id, directoryId })
  } catch (error) {
    if (!NaruError.is(error) || error.outcome !== 'unknown') throw error
    const { voters } = await cluster.quorum()
    if (voters.some((each) => each.nodeId === id && each.directoryId === directoryId)) throw error
  }
}

function planOf(id: number, { voters, leader }: QuorumView, directoryId?: string): Removal {
  const found = voters.find(({ nodeId }) => nodeId === id)
  const others = voters.map(({ nodeId }) => nodeId).filter((nodeId) => nodeId !== id)
  if (found !== undefined) {
    const directory = directoryId ?? found.directoryId ?? untold(id)
    return { id, directoryId: directory, isLeader: id === leader, voters: others }
  }
  const kafka = kafkaErrors.VOTER_NOT_FOUND
  const message = `Cannot remove voter ${id}: it is none (${kafka.name}, ${kafka.code})`
  throw new NaruError('NARU_BROKER', message, { kafka, hint: `Voters are ${others.join(', ')}` })
}

function untold(id: number): never {
  const hint = 'Name it with --directory-id; voters that controller.quorum.voters fixes cannot go'
  throw usage(`Cannot remove voter ${id}: the cluster does not tell its directory`, hint)
}

/** With what the quorum can bear afterwards: the reason to think again. */
function sentenceOf({ id, isLeader, voters }: Removal): string {
  const which = isLeader ? `voter ${id}, the leader,` : `voter ${id},`
  return `remove ${which} which leaves ${counted(voters.length, 'voter')}, of which ${bearable(voters.length)} may fail`
}

function doneText({ id, voters }: Removal): string {
  return `${done(`removed voter ${id}`)}  voters ${voters.join(', ')}, of which ${bearable(voters.length)} may fail\n`
}

function bearable(voters: number): string {
  const count = Math.max(0, Math.ceil(voters / 2) - 1)
  return count === 0 ? 'none' : String(count)
}
