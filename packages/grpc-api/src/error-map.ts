import type { KafkaError, kafkaErrors } from '@naru/model'
import { type StatusCodeName, statusCodes } from './status-codes.ts'
import { encodeStatus, type StatusDetail } from './status-details.ts'

type Name = keyof typeof kafkaErrors

/** Every Kafka error in the terms of gRPC. Clients of gRPC decide by the code whether to retry, so it says what helps. */
const namesByCode = {
  OK: ['NONE'],
  NOT_FOUND: [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_ID',
    'GROUP_ID_NOT_FOUND',
    'TRANSACTIONAL_ID_NOT_FOUND',
    'DELEGATION_TOKEN_NOT_FOUND',
    'FETCH_SESSION_ID_NOT_FOUND',
    'SHARE_SESSION_NOT_FOUND',
    'RESOURCE_NOT_FOUND',
    'SNAPSHOT_NOT_FOUND',
    'LOG_DIR_NOT_FOUND',
    'LISTENER_NOT_FOUND',
    'VOTER_NOT_FOUND',
    'BROKER_ID_NOT_REGISTERED',
    'UNKNOWN_CONTROLLER_ID',
    'UNKNOWN_SUBSCRIPTION_ID',
  ],
  ALREADY_EXISTS: [
    'TOPIC_ALREADY_EXISTS',
    'DUPLICATE_RESOURCE',
    'DUPLICATE_VOTER',
    'DUPLICATE_BROKER_REGISTRATION',
    'DUPLICATE_SEQUENCE_NUMBER',
  ],
  // Another broker may do it, or this one when the caller has changed something: not the same call again.
  FAILED_PRECONDITION: [
    'NOT_LEADER_OR_FOLLOWER',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'NOT_COORDINATOR',
    'NOT_CONTROLLER',
    'STALE_CONTROLLER_EPOCH',
    'STALE_BROKER_EPOCH',
    'INCONSISTENT_CLUSTER_ID',
    'INCONSISTENT_TOPIC_ID',
    'INCONSISTENT_VOTER_SET',
    'INVALID_VOTER_KEY',
    'INVALID_TXN_STATE',
    'INVALID_PRODUCER_ID_MAPPING',
    'UNKNOWN_PRODUCER_ID',
    'NON_EMPTY_GROUP',
    'GROUP_SUBSCRIBED_TO_TOPIC',
    'TOPIC_DELETION_DISABLED',
    'SECURITY_DISABLED',
    'DELEGATION_TOKEN_AUTH_DISABLED',
    'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
    'REASSIGNMENT_IN_PROGRESS',
    'NO_REASSIGNMENT_IN_PROGRESS',
    'ELECTION_NOT_NEEDED',
    'INELIGIBLE_REPLICA',
    'FEATURE_UPDATE_FAILED',
    'ILLEGAL_SASL_STATE',
    'MISMATCHED_ENDPOINT_TYPE',
    'REBOOTSTRAP_REQUIRED',
    'INVALID_RECORD_STATE',
    'OPERATION_NOT_ATTEMPTED',
    'MEMBER_ID_REQUIRED',
  ],
  UNAVAILABLE: [
    'LEADER_NOT_AVAILABLE',
    'BROKER_NOT_AVAILABLE',
    'REPLICA_NOT_AVAILABLE',
    'COORDINATOR_NOT_AVAILABLE',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'PREFERRED_LEADER_NOT_AVAILABLE',
    'ELIGIBLE_LEADERS_NOT_AVAILABLE',
    'NEW_LEADER_ELECTED',
    'OFFSET_NOT_AVAILABLE',
    'UNSTABLE_OFFSET_COMMIT',
    'NOT_ENOUGH_REPLICAS',
    'NETWORK_EXCEPTION',
  ],
  // It may have happened, or may still.
  DEADLINE_EXCEEDED: ['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'],
  OUT_OF_RANGE: ['OFFSET_OUT_OF_RANGE', 'POSITION_OUT_OF_RANGE', 'OFFSET_MOVED_TO_TIERED_STORAGE'],
  INVALID_ARGUMENT: [
    'MESSAGE_TOO_LARGE',
    'RECORD_LIST_TOO_LARGE',
    'OFFSET_METADATA_TOO_LARGE',
    'TELEMETRY_TOO_LARGE',
    'INVALID_FETCH_SIZE',
    'INVALID_TOPIC_EXCEPTION',
    'INVALID_REQUIRED_ACKS',
    'INVALID_GROUP_ID',
    'INVALID_SESSION_TIMEOUT',
    'INVALID_COMMIT_OFFSET_SIZE',
    'INVALID_TIMESTAMP',
    'INVALID_PARTITIONS',
    'INVALID_REPLICATION_FACTOR',
    'INVALID_REPLICA_ASSIGNMENT',
    'INVALID_CONFIG',
    'INVALID_REQUEST',
    'INVALID_TRANSACTION_TIMEOUT',
    'INVALID_PRINCIPAL_TYPE',
    'INVALID_RECORD',
    'INVALID_UPDATE_VERSION',
    'INVALID_REGISTRATION',
    'INVALID_REGULAR_EXPRESSION',
    'INCONSISTENT_GROUP_PROTOCOL',
    'POLICY_VIOLATION',
    'UNACCEPTABLE_CREDENTIAL',
    'UNSUPPORTED_ASSIGNOR',
    'FETCH_SESSION_TOPIC_ID_ERROR',
    'STREAMS_INVALID_TOPOLOGY',
    'STREAMS_INVALID_TOPOLOGY_EPOCH',
  ],
  UNIMPLEMENTED: [
    'UNSUPPORTED_VERSION',
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    'UNSUPPORTED_COMPRESSION_TYPE',
    'UNSUPPORTED_SASL_MECHANISM',
    'UNSUPPORTED_ENDPOINT_TYPE',
  ],
  PERMISSION_DENIED: [
    'TOPIC_AUTHORIZATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
    'DELEGATION_TOKEN_OWNER_MISMATCH',
  ],
  UNAUTHENTICATED: [
    'SASL_AUTHENTICATION_FAILED',
    'DELEGATION_TOKEN_EXPIRED',
    'PRINCIPAL_DESERIALIZATION_FAILURE',
  ],
  RESOURCE_EXHAUSTED: [
    'THROTTLING_QUOTA_EXCEEDED',
    'GROUP_MAX_SIZE_REACHED',
    'SHARE_SESSION_LIMIT_REACHED',
  ],
  // Begin again one level higher: join the group again, start the transaction again.
  ABORTED: [
    'REBALANCE_IN_PROGRESS',
    'ILLEGAL_GENERATION',
    'UNKNOWN_MEMBER_ID',
    'FENCED_INSTANCE_ID',
    'UNRELEASED_INSTANCE_ID',
    'FENCED_MEMBER_EPOCH',
    'STALE_MEMBER_EPOCH',
    'FENCED_STATE_EPOCH',
    'STREAMS_TOPOLOGY_FENCED',
    'PRODUCER_FENCED',
    'INVALID_PRODUCER_EPOCH',
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'CONCURRENT_TRANSACTIONS',
    'TRANSACTION_ABORTABLE',
    'TRANSACTION_COORDINATOR_FENCED',
    'INVALID_FETCH_SESSION_EPOCH',
    'INVALID_SHARE_SESSION_EPOCH',
  ],
  DATA_LOSS: ['CORRUPT_MESSAGE'],
  INTERNAL: ['KAFKA_STORAGE_ERROR', 'UNKNOWN_SERVER_ERROR'],
} as const satisfies Partial<Record<StatusCodeName, readonly Name[]>>

const codeByName = new Map<string, StatusCodeName>(
  Object.entries(namesByCode).flatMap(([code, names]) =>
    names.map((name): [string, StatusCodeName] => [name, code as StatusCodeName]),
  ),
)

/** How a call failed, as Kafka would say it. */
export interface CallError {
  readonly error: KafkaError
  /** For people; the error's own description when there is nothing better. */
  readonly message?: string | undefined
  /** The argument that is wrong, as the request names it. */
  readonly field?: string | undefined
  /** What a program may want to know: topic, partition, leader_id, leader_endpoint, leader_epoch. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** When the same call may succeed; only for errors of which time is the cure. */
  readonly retryAfterMs?: number | undefined
}

/** The status of a call, and `grpc-status-details-bin`. */
export interface CallStatus {
  readonly code: number
  readonly message: string
  readonly details: readonly StatusDetail[]
  readonly detailsBytes: Buffer
}

/** Who gets no better advice may try again after this time; the clients of Kafka wait as long. */
const retryAfterMsDefault = 100

/** Trailers are limited, by many clients to 8 KiB in all. */
const messageLengthMax = 1_000

export function statusOf(failure: CallError, requestId: string): CallStatus {
  const { error } = failure
  const codeName = codeByName.get(error.name) ?? 'UNKNOWN'
  const code = statusCodes[codeName]
  const message = (failure.message ?? error.description).slice(0, messageLengthMax)
  const details = detailsOf(failure, codeName, message, requestId)
  return { code, message, details, detailsBytes: encodeStatus(code, message, details) }
}

function detailsOf(
  { error, field, metadata, retryAfterMs }: CallError,
  codeName: StatusCodeName,
  message: string,
  requestId: string,
): StatusDetail[] {
  const details: StatusDetail[] = [
    {
      type: 'ErrorInfo',
      reason: error.name,
      domain: 'naru.dev',
      metadata: {
        kafka_code: String(error.code),
        ...(codeName === 'DEADLINE_EXCEEDED' ? { outcome: 'UNKNOWN' } : {}),
        ...metadata,
      },
    },
  ]
  if (codeName === 'UNAVAILABLE' || codeName === 'RESOURCE_EXHAUSTED') {
    details.push({ type: 'RetryInfo', retryAfterMs: retryAfterMs ?? retryAfterMsDefault })
  }
  if (field !== undefined) {
    details.push({ type: 'BadRequest', violations: [{ field, description: message }] })
  }
  const links = [{ description: `naru errors ${error.name}`, url: '' }]
  details.push({ type: 'Help', links }, { type: 'RequestInfo', requestId })
  return details
}
