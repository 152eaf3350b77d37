export { AssertionError, assert } from './assert.ts'
export { ByteReader, DecodeError } from './byte-reader.ts'
export type { Address, ByteServer, ByteSocket, ByteTransport } from './byte-transport.ts'
export { TransportError } from './byte-transport.ts'
export { ByteWriter } from './byte-writer.ts'
export type { Clock, Timer } from './clock.ts'
export { crc32c } from './crc32c.ts'
export type { DirectFile, File, FileSystem } from './file-system.ts'
export { FileSystemError } from './file-system.ts'
export type { LogFields, Logger } from './logger.ts'
export { silentLogger } from './logger.ts'
export type {
  AcceptStream,
  MessageNetwork,
  MessageServer,
  MessageStream,
  StreamClose,
  StreamService,
} from './message-network.ts'
export { type Random, randomId } from './random.ts'
export { unsignedVarintSize } from './varint.ts'
