import { type Endpoint, NaruError, type QuorumView } from '@naru/client'
import { kafkaErrors } from '@naru/model'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { usage } from '../failure.ts'
import { printRows, type View } from '../output.ts'
import { done } from '../style.ts'

export interface AddOptions extends ConnectionOptions {
  /** Undefined takes the one with which the node follows the quorum. */
  readonly directoryId?: string
  readonly endpoint?: readonly Endpoint[]
  readonly dryRun?: boolean
}

interface Addition {
  readonly id: number
  readonly directoryId: string
  readonly voters: readonly number[]
}

export const view: View<Addition> = {
  kind: 'VoterAddition',
  name: ({ id }) => String(id),
  fields: [
    { name: 'id', type: 'int32', value: ({ id }) => id },
    { name: 'directoryId', type: 'string', value: ({ directoryId }) => directoryId },
    { name: 'voters', type: 'int32[]', value: ({ voters }) => voters },
  ],
}

export function run(id: number, options: AddOptions): Promise<void> {
  const { format, dryRun: isDry = false, endpoint = [] } = options
  return withClient(options, `add voter ${id}`, async ({ admin }) => {
    const quorum = await admin.cluster.quorum()
    const directoryId = options.directoryId ?? directoryOf(id, quorum)
    const voters = new Set([...quorum.voters.map(({ nodeId }) => nodeId), id])
    if (!isDry) await admin.cluster.addVoter({ nodeId: id, directoryId }, endpoint)
    const row = { id, directoryId, voters: [...voters].sort((a, b) => a - b) }
    const text = () => textOf(row, isDry)
    await printRows(view, [row], { format, text, document: { applied: !isDry } })
  })
}

function directoryOf(id: number, { voters, observers }: QuorumView): string {
  const found = observers.find(({ nodeId }) => nodeId === id)
  if (found?.directoryId !== undefined) return found.directoryId
  if (voters.some(({ nodeId }) => nodeId === id)) {
    const kafka = kafkaErrors.DUPLICATE_VOTER
    const message = `Cannot add voter ${id}: it is one (${kafka.name}, ${kafka.code})`
    throw new NaruError('NARU_BROKER', message, { kafka })
  }
  const others = observers.map(({ nodeId }) => nodeId).join(', ')
  const hint =
    others === ''
      ? `Start node ${id} first, so that it follows; or name its directory with --directory-id`
      : `These follow: ${others}. Or name the directory of node ${id} with --directory-id`
  throw usage(`Cannot add voter ${id}: no node of that id follows the quorum`, hint)
}

function textOf({ id, directoryId, voters }: Addition, isDry: boolean): string {
  const what = `voter ${id} · directory ${directoryId}`
  const head = isDry ? `would add ${what}\n` : done(`added ${what}`)
  return `${head}  voters ${voters.join(', ')}\n`
}
