import type { Api } from '@naru/protocol'

/** What a handler may know of where a request came from. */
export interface RequestContext {
  readonly apiVersion: number
  readonly clientId: string
  readonly clientHost: string
  /** Name of the listener that took the connection: answers name addresses of the same listener. */
  readonly listener: string
  readonly connectionId: number
  /** Calls back once when the connection ends, or is about to, before the answer: a long poll gives up then. */
  onClose(callback: () => void): void
}

/** Returned instead of an answer where the protocol has none: Produce with acks=0. */
export const noResponse = Symbol('no response')
/** Ends the connection: the only way to report a failure where the protocol has no answer. */
export const closeConnection = Symbol('close connection')

export type Answer<R> = R | typeof noResponse | typeof closeConnection

export interface Handler<Q = unknown, R = unknown> {
  readonly api: Api<Q, R>
  /** May be started before earlier requests of the connection are answered; answers still leave in order. */
  readonly isPipelined: boolean
  handle(request: Q, context: RequestContext): Answer<R> | Promise<Answer<R>>
}

/** A handler translates between the wire and a service; it never decides. */
export function defineHandler<Q, R>(
  api: Api<Q, R>,
  handle: (request: Q, context: RequestContext) => Answer<R> | Promise<Answer<R>>,
  { isPipelined = false }: { isPipelined?: boolean } = {},
): Handler<Q, R> {
  return { api, handle, isPipelined }
}
