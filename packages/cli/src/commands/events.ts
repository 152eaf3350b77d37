import { type ConnectionOptions, withClient } from '../connection.ts'
import { eventLine, eventView } from '../event-rows.ts'
import { Failure } from '../failure.ts'
import { interruption } from '../interruption.ts'
import { RowStream } from '../row-stream.ts'
import { note } from '../style.ts'

export interface EventsOptions extends ConnectionOptions {
  /** Milliseconds. */
  readonly since: number
  readonly follow?: boolean
}

export const view = eventView

/** Prints what happened, and what happens until somebody interrupts. */
export async function run(options: EventsOptions): Promise<void> {
  const { format, since: maxAgeMs, follow: isFollowing = false } = options
  const output = new RowStream(eventLine(format), format === 'json' ? view.kind : undefined)
  const signal = interruption()
  try {
    await withClient(options, 'read the events of the cluster', async ({ admin }) => {
      let count = 0
      for await (const event of admin.cluster.events({ maxAgeMs, isFollowing, signal })) {
        count++
        const wait = output.write(event)
        if (wait !== undefined) await wait
      }
      if (count === 0) note('Nothing happened in that time; --since 7d looks further back')
    })
    await output.end()
  } catch (error) {
    await output.end(error instanceof Failure ? error : undefined)
    throw error
  }
}
