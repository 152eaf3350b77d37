/** Why a gRPC call of Naru failed, out of `grpc-status-details-bin`: a `google.rpc.Status` with an ErrorInfo, read as far as it is used. */
import { ByteReader, DecodeError } from '@naru/base'

const errorInfo = 'type.googleapis.com/google.rpc.ErrorInfo'
const domain = 'naru.dev'

const varintType = 0
const bytesType = 2

/** The name of the Kafka error; undefined where the bytes have none or cannot be read. */
export function errorReason(statusBytes: Buffer): string | undefined {
  try {
    const details = fieldsOf(statusBytes).get(3) ?? []
    const infos = details
      .map(fieldsOf)
      .filter((any) => String(any.get(1)?.[0]) === errorInfo)
      .map((any) => fieldsOf(any.get(2)?.[0] ?? Buffer.alloc(0)))
    const ours = infos.find((info) => String(info.get(2)?.[0]) === domain)
    return ours?.get(1)?.[0]?.toString('utf8')
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

/** The fields of a message that hold bytes, by number. */
function fieldsOf(message: Buffer): Map<number, Buffer[]> {
  const reader = new ByteReader(message)
  const fields = new Map<number, Buffer[]>()
  while (reader.remaining > 0) {
    const tag = reader.unsignedVarint()
    const type = tag & 7
    if (type === varintType) reader.unsignedVarint()
    else if (type === bytesType) {
      const from = reader.take(reader.unsignedVarint())
      const number = tag >>> 3
      fields.set(number, [...(fields.get(number) ?? []), message.subarray(from, reader.position)])
    } else throw new DecodeError(`A field of type ${type} in a status`)
  }
  return fields
}
