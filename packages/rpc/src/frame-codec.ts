import { fileURLToPath } from 'node:url'
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'

/** A message of the port to and from the bytes of the wrapper in which it travels; undefined is the end of the stream. */
export interface Codec {
  /** Into memory of `allocate`, if the codec takes it from outside. */
  encode(frame: object | undefined, allocate?: (size: number) => Buffer): Buffer
  /** Throws on bytes that are not such a message. */
  decode(bytes: Buffer): object | undefined
}

export interface FrameCodecs {
  readonly path: string
  /** From the one who opened the stream. */
  readonly request: Codec
  /** From the one who serves it. */
  readonly response: Codec
}

const folder = fileURLToPath(new URL('../../../proto', import.meta.url))
const serviceName = 'naru.internal.v1.PeerService'

/**
 * Readers see scalars with their defaults, lists that are empty when absent, and absent messages as undefined. Members of a oneof
 * are there when they were set.
 */
export function loadFrameCodecs(): FrameCodecs {
  const loaded = loadSync('naru/internal/v1/peer.proto', {
    includeDirs: [folder],
    longs: String,
    enums: String,
    defaults: true,
  })
  const connect = (loaded[serviceName] as ServiceDefinition)['Connect'] as MethodDefinition<
    object,
    object
  >
  return {
    path: connect.path,
    request: codecOf(connect.requestSerialize, connect.requestDeserialize),
    response: codecOf(connect.responseSerialize, connect.responseDeserialize),
  }
}

function codecOf(
  serialize: (wrapper: object) => Buffer,
  deserialize: (bytes: Buffer) => object,
): Codec {
  return {
    encode: (frame) => serialize({ frame }),
    decode: (bytes) => {
      const { frame } = deserialize(bytes) as { frame: object | null }
      if (frame === null) return undefined
      leaveAbsent(frame)
      return frame
    },
  }
}

/** protobufjs gives null for a message that is not there. Assigning is much cheaper than deleting. */
function leaveAbsent(message: object): void {
  const fields = message as Record<string, unknown>
  for (const name in fields) {
    const value = fields[name]
    if (value === null) fields[name] = undefined
    else if (Array.isArray(value)) value.forEach(leaveAbsentIn)
    else leaveAbsentIn(value)
  }
}

function leaveAbsentIn(value: unknown): void {
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) leaveAbsent(value)
}
