/**
 * The records of which there are as many as partitions, in few bytes and without the detour of the schemas: a broker that goes may
 * take tens of thousands of them with it in one batch, and nobody answers anything until they are decoded and replayed.
 */
import { type ByteReader, type ByteWriter, DecodeError } from '@naru/base'
import type { NodeId, TopicId } from '@naru/model'
import { type Codec, struct, type Type, type ValueOf } from '@naru/protocol'
import { type PartitionImage, type PartitionState, partitionWith } from './image.ts'
import { readUuid, writeUuid } from './uuid-memo.ts'

interface PartitionStates {
  readonly topicId: TopicId
  readonly partitions: readonly PartitionState[]
}

/** Partitions of one topic. As they are afterwards and not by how much they change, so that a record means the same by itself. */
export const partitionStates: Type<PartitionStates> = {
  resolve: () => ({
    read(reader) {
      const topicId = readUuid(reader)
      const partitions: PartitionState[] = []
      const count = readCount(reader)
      for (let i = 0; i < count; i++) partitions.push(readState(reader))
      return { topicId, partitions }
    },
    write(writer, { topicId, partitions }) {
      writeUuid(writer, topicId)
      writer.unsignedVarint(partitions.length)
      for (const state of partitions) writeState(writer, state)
    },
  }),
}

/** A partition by its schema up to version `from`, and in few bytes from there on. */
export function compactPartition<F extends Record<keyof PartitionImage, Type<unknown>>>(
  from: number,
  fields: F,
): Type<{ -readonly [K in keyof F]: ValueOf<F[K]> }> {
  const older = struct(fields)
  return {
    resolve: (version) =>
      version.version < from
        ? older.resolve(version)
        : (partitionCodec as unknown as Codec<{ -readonly [K in keyof F]: ValueOf<F[K]> }>),
  }
}

const flushedFlag = 1
const recoveringFlag = 2

const partitionCodec: Codec<PartitionImage> = {
  read(reader) {
    const topicId = readUuid(reader)
    const state = readState(reader)
    const replicas = readNodes(reader)
    const directories: string[] = []
    const count = readCount(reader)
    for (let i = 0; i < count; i++) directories.push(readUuid(reader))
    const minIsr = reader.varint()
    const flags = reader.unsignedVarint()
    const isFlushed = (flags & flushedFlag) !== 0
    const isRecovering = (flags & recoveringFlag) !== 0
    const addingReplicas = readNodes(reader)
    const removingReplicas = readNodes(reader)
    const removedReplicas = readNodes(reader)
    const moves = { addingReplicas, removingReplicas, removedReplicas }
    const rest = { topicId, replicas, directories, minIsr, isFlushed, isRecovering, ...moves }
    return partitionWith(rest, state)
  },
  write(writer, partition) {
    const { topicId, replicas, directories, minIsr, isFlushed, isRecovering } = partition
    writeUuid(writer, topicId)
    writeState(writer, partition)
    writeNodes(writer, replicas)
    writer.unsignedVarint(directories.length)
    for (const directory of directories) writeUuid(writer, directory)
    writer.varint(minIsr)
    const recovering = isRecovering ? recoveringFlag : 0
    writer.unsignedVarint((isFlushed ? flushedFlag : 0) | recovering)
    writeNodes(writer, partition.addingReplicas)
    writeNodes(writer, partition.removingReplicas)
    writeNodes(writer, partition.removedReplicas)
  },
}

function readState(reader: ByteReader): PartitionState {
  return {
    partition: reader.varint(),
    leader: reader.varint(),
    leaderEpoch: reader.varint(),
    partitionEpoch: reader.varint(),
    isr: readNodes(reader),
    elr: readNodes(reader),
    lastKnownElr: readNodes(reader),
  }
}

function writeState(writer: ByteWriter, state: PartitionState): void {
  writer.varint(state.partition)
  writer.varint(state.leader)
  writer.varint(state.leaderEpoch)
  writer.varint(state.partitionEpoch)
  writeNodes(writer, state.isr)
  writeNodes(writer, state.elr)
  writeNodes(writer, state.lastKnownElr)
}

/** Most lists are empty: they share one. Nobody writes to what was decoded. */
const nobody: readonly NodeId[] = []

function readNodes(reader: ByteReader): readonly NodeId[] {
  const count = readCount(reader)
  if (count === 0) return nobody
  const nodes: NodeId[] = []
  for (let i = 0; i < count; i++) nodes.push(reader.varint())
  return nodes
}

function writeNodes(writer: ByteWriter, nodes: readonly NodeId[]): void {
  writer.unsignedVarint(nodes.length)
  for (const node of nodes) writer.varint(node)
}

/** Every element takes at least a byte: a count beyond that would only allocate. */
function readCount(reader: ByteReader): number {
  const count = reader.unsignedVarint()
  if (count > reader.remaining) throw new DecodeError(`List of ${count} is cut off`)
  return count
}
