/** The frames of `naru.internal.v1.ReplicationService`. */
import type { FrameCodecs } from '../frame-codec.ts'
import { decodeMessage } from './decode-message.ts'
import { encodeMessage } from './encode-message.ts'
import type { Message, MessageShape } from './message-shape.ts'

const greeting: MessageShape = {
  fields: [
    ['clusterId', 'text'],
    ['nodeId', 'int'],
    ['expectedNodeId', 'int'],
    ['brokerEpoch', 'long'],
    ['incarnationId', 'text'],
  ],
}

const subscription: MessageShape = {
  fields: [
    ['id', 'int'],
    ['topicId', 'text'],
    ['partition', 'int'],
    ['leaderEpoch', 'int'],
    ['logEndOffset', 'long'],
    ['flushedOffset', 'long'],
    ['lastEpoch', 'int'],
  ],
}

const acknowledgement: MessageShape = {
  fields: [
    ['id', 'int'],
    ['logEndOffset', 'long'],
    ['flushedOffset', 'long'],
  ],
}

const accepted: MessageShape = {
  fields: [
    ['id', 'int'],
    ['logStartOffset', 'long'],
    ['highWatermark', 'long'],
  ],
}

const divergence: MessageShape = {
  fields: [
    ['id', 'int'],
    ['epoch', 'int'],
    ['endOffset', 'long'],
  ],
}

const refusal: MessageShape = {
  fields: [
    ['id', 'int'],
    ['errorCode', 'int'],
    ['logStartOffset', 'long'],
  ],
}

const batches: MessageShape = {
  fields: [
    ['id', 'int'],
    ['logStartOffset', 'long'],
    ['highWatermark', 'long'],
    ['records', 'buffers'],
  ],
}

const followerFrame: MessageShape = {
  fields: [
    ['hello', greeting],
    ['subscriptions', { elements: subscription }],
    ['acknowledgements', { elements: acknowledgement }],
    ['cancelled', 'ints'],
  ],
}

const leaderFrame: MessageShape = {
  fields: [
    ['hello', greeting],
    ['accepted', { elements: accepted }],
    ['diverging', { elements: divergence }],
    ['refused', { elements: refusal }],
    ['batches', { elements: batches }],
  ],
}

function codecOf(frame: MessageShape) {
  const wrapper: MessageShape = { fields: [['frame', frame]] }
  return {
    encode: (message: object | undefined) => encodeMessage(wrapper, { frame: message as Message }),
    decode: (bytes: Buffer) => decodeMessage(wrapper, bytes)['frame'] as object | undefined,
  }
}

export const replicationCodecs: FrameCodecs = {
  path: '/naru.internal.v1.ReplicationService/Replicate',
  request: codecOf(followerFrame),
  response: codecOf(leaderFrame),
}
