// Versions: 4 flexible; 5 error message; 6 topic ids (KIP-516).
import { zeroTopicId } from '@naru/model'
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const deleteTopicsApi = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleSince: 4,
  request: s.struct({
    topics: s.since(6, s.array(s.struct({ name: s.nullableString, topicId: s.uuid })), []),
    topicNames: s.until(5, s.array(s.string), []),
    timeoutMs: s.int32,
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    responses: s.array(
      s.struct({
        name: s.nullableString,
        topicId: s.since(6, s.uuid, zeroTopicId),
        errorCode: s.int16,
        errorMessage: s.since(5, s.nullableString, null),
      }),
    ),
  }),
})
