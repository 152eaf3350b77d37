import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** What the kernel of the other side says about a connection: gRPC tells the same of a dead process and of a broken network. */
export class SocketFate {
  readonly #sockets = new Set<Socket>()
  #isSettled = false
  #isGone = false
  readonly #onClose: (() => void)[] = []

  /** Follows a socket that is connected, or, until the first of several is, one that is about to be. */
  watch(socket: Socket): void {
    if (this.#isSettled) return
    this.#sockets.add(socket)
    if (socket.connecting) socket.once('connect', () => this.#connected(socket))
    socket.on('end', () => this.#gone(socket))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE') this.#gone(socket)
    })
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (this.#sockets.size > 0) return
      for (const callback of this.#onClose.splice(0)) callback()
    })
  }

  #connected(socket: Socket): void {
    this.#isSettled = true
    this.#isGone = false
    for (const other of this.#sockets) if (other !== socket) other.destroy()
  }

  #gone(socket: Socket): void {
    if (this.#sockets.has(socket)) this.#isGone = true
  }

  /** Whether the kernel over there closed its end (FIN) or has none (RST, also as the answer to a connect). */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Calls back when there is no connection, or no longer. */
  whenClosed(callback: () => void): void {
    if (this.#sockets.size === 0) callback()
    else this.#onClose.push(callback)
  }

  /** No socket that is made from now on belongs to it, even if it is made by those who hear of the end. */
  settle(): void {
    this.#isSettled = true
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

const opening = new AsyncLocalStorage<SocketFate>()

subscribe('net.client.socket', (message) => {
  opening.getStore()?.watch((message as { socket: Socket }).socket)
})

/**
 * Lets `fate` see the sockets that `open` causes to be made, also later. gRPC shows none, and would leave a connect that nobody
 * answers to the kernel for minutes.
 */
export function watchingSockets<Result>(fate: SocketFate, open: () => Result): Result {
  return opening.run(fate, open)
}
