/**
 * `replication.proto` by hand: hundreds of megabytes a second pass here, so records are copied once when they are sent and not at all
 * when they are received, and 64-bit integers never become strings.
 */
import type {
  Accepted,
  Acknowledgement,
  Batches,
  Credit,
  Divergence,
  FollowerFrame,
  Greeting,
  LeaderFrame,
  OutgoingBatches,
  OutgoingFollowerFrame,
  OutgoingLeaderFrame,
  Refusal,
  Subscription,
} from './frames.ts'
import { type Allocate, type Message, message } from './message-codec.ts'
import { bytes, int32, int32s, int64, many, one, text } from './wire-fields.ts'
import { int64Kind } from './wire-kinds.ts'

/** The wrapper in which a frame travels; undefined is the end of the stream. */
export interface FrameCodec<In, Out> {
  encode(frame: In | undefined, allocate?: Allocate): Buffer
  /** Throws DecodeError on bytes that are not such a message. */
  decode(bytes: Buffer): Out | undefined
}

const greeting = message<Greeting, Greeting>({
  clusterId: text(1),
  nodeId: int32(2),
  expectedNodeId: int32(3),
  brokerEpoch: int64(4),
  incarnationId: text(5),
})

const subscription = message<Subscription, Subscription>({
  id: int32(1),
  topicId: text(2),
  partition: int32(3),
  leaderEpoch: int32(4),
  logEndOffset: int64(5),
  flushedOffset: int64(6),
  lastEpoch: int32(7),
  logStartOffset: one(8, int64Kind),
})

const acknowledgement = message<Acknowledgement, Acknowledgement>({
  id: int32(1),
  logEndOffset: int64(2),
  flushedOffset: int64(3),
})

const credit = message<Credit, Credit>({
  id: int32(1),
  bytes: int32(2),
})

const accepted = message<Accepted, Accepted>({
  id: int32(1),
  logStartOffset: int64(2),
  highWatermark: int64(3),
})

const divergence = message<Divergence, Divergence>({
  id: int32(1),
  epoch: int32(2),
  endOffset: int64(3),
})

const refusal = message<Refusal, Refusal>({
  id: int32(1),
  errorCode: int32(2),
  logStartOffset: int64(3),
})

const batches = message<OutgoingBatches, Batches>({
  id: int32(1),
  logStartOffset: int64(2),
  highWatermark: int64(3),
  records: bytes(4),
})

const followerFrame = message<OutgoingFollowerFrame, FollowerFrame>({
  hello: one(1, greeting),
  subscriptions: many(2, subscription),
  acknowledgements: many(3, acknowledgement),
  cancelled: int32s(4),
  credits: many(5, credit),
})

const leaderFrame = message<OutgoingLeaderFrame, LeaderFrame>({
  hello: one(1, greeting),
  accepted: many(2, accepted),
  diverging: many(3, divergence),
  refused: many(4, refusal),
  batches: many(5, batches),
})

export const replicationCodecs = {
  /** From the one who opened the stream. */
  request: wrapped(followerFrame),
  /** From the one who serves it. */
  response: wrapped(leaderFrame),
} as const

function wrapped<In extends object, Out extends object>(
  frame: Message<In, Out>,
): FrameCodec<In, Out> {
  const wrapper = message<{ frame: In | undefined }, { frame: Out | undefined }>({
    frame: one(1, frame),
  })
  return {
    encode: (value, allocate = Buffer.allocUnsafe) => wrapper.encode({ frame: value }, allocate),
    decode: (bytes) => wrapper.decode(bytes).frame,
  }
}
