import {
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type StatusObject,
  status as statusCodes,
} from '@grpc/grpc-js'
import type { Address, Clock, MessageStream, StreamService } from '@naru/base'
import type { FrameCodecs } from './frame-codec.ts'
import { GrpcStream } from './grpc-stream.ts'
import { lingerMsMax, receivedBytesMax, streamLimits } from './limits.ts'
import { SocketFate, watchingSockets } from './socket-fate.ts'

/** How long the other side may take to accept a stream. */
const connectMsMax = 1_000

const options: ChannelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  // Else a message counts as sent before there is a connection.
  'grpc.per_rpc_retry_buffer_size': 0,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.max_receive_message_length': receivedBytesMax,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
  'grpc.service_config_disable_resolution': 1,
}

/** Opens a stream over a connection of its own. */
export function openStream(
  address: Address,
  service: StreamService,
  codecs: FrameCodecs,
  clock: Clock,
): MessageStream {
  const fate = new SocketFate()
  const limits = streamLimits[service]
  const { client, call } = watchingSockets(fate, () =>
    connect(address, codecs.path, limits.windowBytes),
  )
  const deadline = clock.setTimer(connectMsMax, () => stream.reset())
  const stream = new GrpcStream({
    call,
    encoder: codecs.request,
    decoder: codecs.response,
    limits,
    clock,
    abort: () => call.cancel(),
    onClose: () => {
      deadline.cancel()
      fate.settle()
      const linger = clock.setTimer(lingerMsMax, () => {
        call.cancel()
        client.close()
        fate.destroy()
      })
      fate.whenClosed(() => linger.cancel())
    },
  })
  call.on('metadata', () => deadline.cancel())
  // The status that follows says the same.
  call.on('error', () => {})
  call.on('status', ({ code }: StatusObject) => {
    stream.close(code === statusCodes.UNAVAILABLE && fate.isGone ? 'refused' : 'lost')
    client.close()
  })
  return stream
}

function connect(address: Address, path: string, windowBytes: number) {
  const client = new Client(targetOf(address), credentials.createInsecure(), {
    ...options,
    'grpc-node.flow_control_window': windowBytes,
  })
  const raw = (bytes: Buffer) => bytes
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    path,
    raw,
    raw,
    new Metadata(),
    {},
  )
  return { client, call }
}

function targetOf({ host, port }: Address): string {
  return host.includes(':') ? `ipv6:[${host}]:${port}` : `dns:${host}:${port}`
}
