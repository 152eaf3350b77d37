/** What any node may ask of the one that leads the quorum, and how that answers. */
import type { Clock } from '@naru/base'
import { type Command, decodeCommand, encodeResult } from '@naru/metadata'
import type { ActiveController } from './active-controller.ts'
import { ConsensusError } from './errors.ts'
import type { CallOutcome } from './peers/frame.ts'
import type { QuorumMember } from './quorum-member.ts'
import { type AskedChange, quorumCodecs } from './quorum-operations.ts'
import { quorumView } from './quorum-view.ts'

export type Operation = 'submit' | 'readIndex' | 'quorumStatus' | 'quorumChange'

export interface LeaderOperationsOptions {
  readonly clock: Clock
  /** Undefined until it runs: others may think that this node leads still, as the process before did. */
  readonly member: () => QuorumMember | undefined
  /** Undefined while this node does not lead. */
  readonly controller: () => ActiveController | undefined
}

const nothing = Buffer.alloc(0)
const notLeader = { index: 0n, failure: 'NOT_LEADER' } as const

export class LeaderOperations {
  readonly #options: LeaderOperationsOptions
  readonly #operations: Readonly<Record<Operation, (payload: Buffer) => Promise<CallOutcome>>> = {
    submit: (payload) => this.#submit(decodeCommand(payload)),
    readIndex: () => this.#readIndex(),
    quorumStatus: () => this.#quorumStatus(),
    quorumChange: (payload) => this.#changeQuorum(payload),
  }

  constructor(options: LeaderOperationsOptions) {
    this.#options = options
  }

  /** Rejects with DecodeError for a payload that the operation does not know. */
  async answer(operation: string, payload: Buffer): Promise<CallOutcome> {
    if (!Object.hasOwn(this.#operations, operation)) return { index: 0n, failure: 'REFUSED' }
    try {
      return await this.#operations[operation as Operation](payload)
    } catch (error) {
      if (!(error instanceof ConsensusError)) throw error
      const isBefore = error.code === 'NOT_LEADER' || error.code === 'REFUSED'
      return isBefore ? notLeader : { index: 0n, failure: 'LEADERSHIP_LOST' }
    }
  }

  async #submit(command: Command): Promise<CallOutcome> {
    const controller = this.#options.controller()
    if (controller === undefined) return notLeader
    const { index, result } = await controller.submit(command)
    return { index, payload: encodeResult(command.type, result) }
  }

  async #readIndex(): Promise<CallOutcome> {
    const index = await this.#options.controller()?.readIndex()
    return index === undefined ? notLeader : { index, payload: nothing }
  }

  async #quorumStatus(): Promise<CallOutcome> {
    const member = this.#options.member()
    if (member === undefined) return notLeader
    // Who was cut off and does not know it would tell of a quorum that is no more.
    const index = await member.node.readBarrier()
    const view = quorumView(member.node, member.self, this.#options.clock)
    return { index, payload: quorumCodecs.status.encode(view) }
  }

  async #changeQuorum(payload: Buffer): Promise<CallOutcome> {
    const change = quorumCodecs.change.decode(payload) as AskedChange
    const member = this.#options.member()
    const refused = member === undefined ? 'notLeader' : await member.change(change)
    if (refused === 'notLeader') return notLeader
    return { index: 0n, payload: quorumCodecs.answer.encode({ refusal: refused ?? '' }) }
  }
}
