import type { TopicView } from '@naru/client'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { printRows, type View } from '../output.ts'
import { note } from '../style.ts'

export const view: View<TopicView> = {
  kind: 'TopicList',
  name: ({ name }) => name,
  fields: [
    { name: 'name', type: 'string', value: ({ name }) => name },
    { name: 'partitions', type: 'int32', value: ({ partitions }) => partitions.length },
    {
      name: 'replicas',
      type: 'int32',
      value: ({ partitions }) => partitions[0]?.replicas.length ?? 0,
    },
    {
      name: 'underReplicated',
      type: 'int32',
      in: 'wide',
      value: ({ partitions }) =>
        partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length,
    },
    {
      name: 'leaderless',
      type: 'int32',
      in: 'wide',
      value: ({ partitions }) => partitions.filter(({ leader }) => leader < 0).length,
    },
    { name: 'topicId', type: 'string', in: 'wide', value: ({ topicId }) => topicId },
  ],
}

export function run(options: ConnectionOptions): Promise<void> {
  return withClient(options, 'list topics', async ({ admin }) => {
    const topics = await admin.listTopics()
    await printRows(view, topics, options)
    if (topics.length === 0) note('There are no topics yet: naru topic create NAME')
  })
}
