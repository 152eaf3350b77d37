/** What a client of ours asks when it fetches, and of which broker: heard on its connections. */
import { type Address, ByteReader, type ByteSocket, type ByteTransport } from '@naru/base'
import { tcpTransport } from '@naru/platform'
import { apis, readRequestHeader, skipHeaderTags } from '@naru/protocol'

export interface RecordedFetch {
  readonly port: number
  readonly rackId: string
  readonly currentLeaderEpoch: number
  readonly offset: bigint
}

export class RecordedFetches {
  readonly all: RecordedFetch[] = []

  get transport(): ByteTransport {
    return {
      listen: (address, accept) => tcpTransport.listen(address, accept),
      connect: async (address, timeoutMs) =>
        this.#heard(await tcpTransport.connect(address, timeoutMs), address),
    }
  }

  #heard(socket: ByteSocket, { port }: Address): ByteSocket {
    return {
      remote: socket.remote,
      local: socket.local,
      get queuedBytes() {
        return socket.queuedBytes
      },
      handle: (events) => socket.handle(events),
      write: (buffers) => {
        this.#note(Buffer.concat(buffers), port)
        return socket.write(buffers)
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => socket.end(),
      reset: () => socket.reset(),
    }
  }

  /** The client writes one request at a time, with its length before it. */
  #note(frame: Buffer, port: number): void {
    const reader = new ByteReader(frame, 4)
    const { apiKey, apiVersion } = readRequestHeader(reader)
    if (apiKey !== apis.fetch.key) return
    if (apis.fetch.isFlexible(apiVersion)) skipHeaderTags(reader)
    const { rackId, topics } = apis.fetch.decodeRequest(reader, apiVersion)
    for (const { partitions } of topics) {
      for (const { currentLeaderEpoch, fetchOffset: offset } of partitions) {
        this.all.push({ port, rackId, currentLeaderEpoch, offset })
      }
    }
  }
}
