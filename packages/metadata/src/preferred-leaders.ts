import type { TopicId } from '@naru/model'
import type { MetadataImage } from './image.ts'
import { isActive, isDirectoryOnline } from './replicas.ts'

export interface LedElsewhere {
  readonly topicId: TopicId
  readonly partition: number
}

/** Partitions that another replica leads than the first, although the first could. */
export function* ledElsewhere(image: MetadataImage): Generator<LedElsewhere> {
  for (const { topicId, partitions } of image.topics.values()) {
    for (const each of partitions) {
      const preferred = each.replicas[0]
      if (preferred === undefined || preferred === each.leader || each.leader === -1) continue
      const broker = image.brokers.get(preferred)
      const mayLead = each.isr.includes(preferred) && broker !== undefined && isActive(broker)
      if (mayLead && isDirectoryOnline(broker, each)) yield { topicId, partition: each.partition }
    }
  }
}
