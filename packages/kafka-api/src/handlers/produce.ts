import { kafkaErrors } from '@naru/model'
import { type Answer, closeConnection, defineHandler, noResponse } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import {
  type Acks,
  produce as append,
  failed,
  PartitionHost,
  type ProduceResult,
} from '@naru/services'
import type { Ports } from '../ports.ts'

type Request = RequestOf<typeof apis.produce>
type Response = ResponseOf<typeof apis.produce>
type Topic = Response['responses'][number]

export function produce({ partitions }: Pick<Ports, 'partitions'>) {
  return defineHandler(
    apis.produce,
    (request, { apiVersion }) =>
      new Promise<Answer<Response>>((resolve) => {
        appendAll(partitions, request, apiVersion, resolve)
      }),
    { isPipelined: true },
  )
}

/** Starts all appends in the order of the request and answers when the last is acknowledged. */
function appendAll(
  partitions: Ports['partitions'],
  request: Request,
  apiVersion: number,
  resolve: (answer: Answer<Response>) => void,
): void {
  let waiting = 1
  let hasError = false
  const responses: Topic[] = []
  const finish = () => {
    if (--waiting > 0) return
    if (request.acks !== 0) resolve({ responses, throttleTimeMs: 0, nodeEndpoints: [] })
    else resolve(hasError ? closeConnection : noResponse)
  }
  for (const topic of request.topicData) {
    const name = apiVersion >= 13 ? partitions.topicNamed(topic.topicId) : topic.name
    const partitionResponses: Topic['partitionResponses'] = []
    responses.push({ name: topic.name, topicId: topic.topicId, partitionResponses })
    for (const [index, partition] of topic.partitionData.entries()) {
      waiting++
      const done = (result: ProduceResult) => {
        partitionResponses[index] = partitionResponse(partition.index, result)
        if (result.error !== kafkaErrors.NONE) hasError = true
        finish()
      }
      const host =
        name === undefined
          ? kafkaErrors.UNKNOWN_TOPIC_ID
          : request.acks === -1
            ? partitions.leading(name, partition.index)
            : partitions.leadingAlone(name, partition.index)
      if (!(host instanceof PartitionHost)) done(failed(host, host.description))
      else if (request.acks < -1 || request.acks > 1) {
        done(failed(kafkaErrors.INVALID_REQUIRED_ACKS, `acks=${request.acks} is not known`))
      } else {
        const bytes = partition.records ?? Buffer.alloc(0)
        const { timeoutMs } = request
        const acks = request.acks as Acks
        append(host, { bytes, produceVersion: apiVersion, acks, timeoutMs }, done)
      }
    }
  }
  finish()
}

function partitionResponse(
  index: number,
  result: ProduceResult,
): Topic['partitionResponses'][number] {
  const { error, message, records = [], baseOffset, logAppendTimeMs, logStartOffset } = result
  return {
    index,
    errorCode: error.code,
    baseOffset,
    logAppendTimeMs,
    logStartOffset,
    recordErrors: records.map((record) => ({
      batchIndex: record.index,
      batchIndexErrorMessage: record.message,
    })),
    errorMessage: message,
    currentLeader: null,
  }
}
