/**
 * Scripts: commands to a few replicas, and what follows from each, as text. The commands:
 *
 *   nodes N [limit=value…]       N voters 1..N whose first entry, of term 1, says so
 *   observer K                   a replica without a vote, which knows node 1
 *   log K TERM TERM …            sets the terms of K's entries 2, 3 … as if they had been stored (before the first start)
 *   term K T [vote]              sets K's stored term and vote
 *   campaign K                   the election time-out of K passes
 *   propose K TEXT…              one entry each
 *   advance MS                   time passes for all at once
 *   pass MS                      time passes in small steps, and everybody does what there is to do
 *   run K…                       these replicas do what they have to; their messages wait
 *   deliver FROM->TO [type]      the waiting messages arrive; `*` stands for any
 *   drop FROM->TO [type]         they are lost
 *   double FROM->TO [type]       they arrive, and stay to arrive again
 *   stabilize [K…]               run and deliver among these until nothing is left to do; messages to others wait
 *   hold K / release K           K's disk stands still / goes on
 *   isolate K / lose FROM->TO TYPE / heal   messages to and from K, or of that kind, are lost / no more
 *   read K ID · transfer K TO · forget K LEADER · add K V · remove K V · snapshot K
 *   restart K [recovering] [lose=N]   the process starts anew, without its last N entries
 *   status · progress K
 */
import type { Entry, ReplicaKey } from '../entry.ts'
import type { Message } from '../messages.ts'
import type { RaftLimits } from '../options.ts'
import type { StoredState } from '../replica.ts'
import { formatMessage } from './format.ts'
import { ScriptNode } from './script-node.ts'

type Command = (args: string[]) => void

const runsMax = 1_000
const passMs = 50

export class ScriptWorld {
  readonly #nodes = new Map<ReplicaKey, ScriptNode>()
  #waiting: Message[] = []
  readonly #isolated = new Set<ReplicaKey>()
  readonly #lost: { route: string | undefined; type: string | undefined }[] = []
  #nowMs = 0
  #lines: string[] = []

  /** Runs one command and gives what it printed. */
  command(line: string): string {
    const [name = '', ...args] = line.trim().split(/\s+/)
    const command = this.#commands[name]
    if (command === undefined) throw new Error(`No command "${name}"`)
    this.#lines = []
    command(args)
    return this.#lines.length === 0 ? 'ok' : this.#lines.join('\n')
  }

  readonly #commands: Readonly<Record<string, Command>> = {
    nodes: ([count, ...limits]) => this.#makeNodes(Number(count), limits),
    observer: ([key]) => this.#makeNode(key as string, emptyState(), {}),
    log: ([key, ...terms]) => this.#setLog(key, terms),
    term: ([key, term, vote]) =>
      this.#node(key).restart(this.#nowMs, { hardState: { term: BigInt(term as string), vote } }),
    campaign: ([key]) => {
      const { raft } = this.#node(key)
      raft.elapsed(Math.max(this.#nowMs, raft.deadlineMs))
    },
    propose: ([key, ...texts]) => {
      const proposals = texts.map((text) => ({ kind: 'data', payload: Buffer.from(text) }) as const)
      this.#report(this.#node(key).raft.propose(proposals))
    },
    advance: ([ms]) => this.#advance(Number(ms)),
    pass: ([ms]) => {
      for (let passed = 0; passed < Number(ms); passed += passMs) {
        this.#advance(passMs)
        this.#stabilize([])
      }
    },
    run: (keys) => this.#run(keys),
    deliver: ([route, type]) => this.#deliver(this.#take(route, type)),
    drop: ([route, type]) => void this.#take(route, type),
    double: ([route, type]) => {
      const messages = this.#take(route, type)
      this.#waiting.push(...messages)
      this.#deliver(messages)
    },
    stabilize: (keys) => this.#stabilize(keys),
    hold: ([key]) => {
      this.#node(key).isHeld = true
    },
    release: ([key]) => {
      this.#node(key).isHeld = false
      this.#node(key).finishWrite(this.#nowMs)
    },
    isolate: ([key]) => void this.#isolated.add(key as string),
    lose: ([route, type]) => void this.#lost.push({ route, type }),
    heal: () => {
      this.#isolated.clear()
      this.#lost.length = 0
    },
    read: ([key, id]) => this.#report(this.#node(key).raft.read(Number(id))),
    transfer: ([key, to]) => this.#report(this.#node(key).raft.transferLeadership(to as string)),
    forget: ([key, leader]) => this.#node(key).raft.forgetLeader(leader as string, this.#nowMs),
    add: ([key, voter]) =>
      this.#report(this.#node(key).raft.changeVoters({ add: voter as string })),
    remove: ([key, voter]) =>
      this.#report(this.#node(key).raft.changeVoters({ remove: voter as string })),
    snapshot: ([key]) => {
      const { index, term } = this.#node(key).takeSnapshot()
      this.#print(`  ${key} has a snapshot of ${index}/${term}`)
    },
    restart: ([key, ...options]) => this.#restart(key, options),
    status: () => this.#status(),
    progress: ([key]) => this.#progress(key),
  }

  #makeNodes(count: number, limits: string[]): void {
    const voters = Array.from({ length: count }, (_, position) => `${position + 1}`)
    const entry: Entry = { index: 1n, term: 1n, kind: 'voters', voters }
    const hardState = { term: 1n, vote: undefined }
    const stored = {
      hardState,
      snapshot: undefined,
      entries: [entry],
      isRecovering: false,
      recoveries: 0,
    }
    const set = Object.fromEntries(
      limits.map((limit) => [limit.split('=')[0], Number(limit.split('=')[1])]),
    )
    for (const key of voters) this.#makeNode(key, stored, set)
    this.#lines = []
  }

  #makeNode(key: ReplicaKey, stored: StoredState, limits: Partial<RaftLimits>): void {
    const print = (line: string) => this.#print(line)
    this.#nodes.set(
      key,
      new ScriptNode({ key, stored, contacts: ['1'], limits, print }, this.#nowMs),
    )
  }

  #setLog(key: string | undefined, terms: string[]): void {
    const node = this.#node(key)
    const entries = terms.map(
      (term, position): Entry => ({
        index: BigInt(position + 2),
        term: BigInt(term),
        kind: 'noop',
      }),
    )
    const last = entries.at(-1)?.term ?? 1n
    const term = last > node.stored.hardState.term ? last : node.stored.hardState.term
    const first = node.stored.entries.slice(0, 1)
    node.restart(this.#nowMs, {
      hardState: { term, vote: undefined },
      entries: [...first, ...entries],
    })
  }

  #restart(key: string | undefined, options: string[]): void {
    const node = this.#node(key)
    const lost = Number(options.find((option) => option.startsWith('lose='))?.slice(5) ?? 0)
    const entries = node.stored.entries.slice(0, node.stored.entries.length - lost)
    const isRecovering = options.includes('recovering')
    const recoveries = node.stored.recoveries + (isRecovering ? 1 : 0)
    node.restart(this.#nowMs, { entries, isRecovering, recoveries })
  }

  #advance(ms: number): void {
    this.#nowMs += ms
    for (const { raft } of this.#nodes.values()) {
      if (raft.deadlineMs <= this.#nowMs) raft.elapsed(this.#nowMs)
    }
  }

  #run(keys: string[]): void {
    for (const key of keys) {
      const messages = this.#node(key).run(this.#nowMs)
      this.#waiting.push(...messages.filter((message) => !this.#isLost(message)))
    }
  }

  #stabilize(keys: string[]): void {
    const among = keys.length > 0 ? keys : [...this.#nodes.keys()]
    for (let runs = 0; runs < runsMax; runs++) {
      this.#run(among)
      const arriving = this.#waiting.filter(({ to }) => among.includes(to))
      if (arriving.length === 0) return
      this.#waiting = this.#waiting.filter(({ to }) => !among.includes(to))
      for (const message of arriving) this.#nodes.get(message.to)?.raft.step(message, this.#nowMs)
    }
    throw new Error('The replicas do not come to rest')
  }

  /** Takes the messages of a route like `1->2` or `*->3` out of those that wait. */
  #take(route = '*->*', type?: string): Message[] {
    const isTaken = (message: Message) => isOf(message, route, type)
    const taken = this.#waiting.filter(isTaken)
    this.#waiting = this.#waiting.filter((message) => !isTaken(message))
    if (taken.length === 0) throw new Error(`No message waits on ${route} ${type ?? ''}`)
    return taken
  }

  #deliver(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#print(`  ${formatMessage(message)}`)
      this.#nodes.get(message.to)?.raft.step(message, this.#nowMs)
    }
  }

  #status(): void {
    for (const [key, { raft }] of this.#nodes) {
      const { lastIndex, durableIndex, commitIndex, baseIndex } = raft.log
      const state = raft.isRecovering ? ' recovering' : ''
      this.#print(
        `  ${key}: ${raft.role}${state} term ${raft.term} leader ${raft.leader ?? '-'} base ${baseIndex} commit ${commitIndex} durable ${durableIndex} last ${lastIndex}`,
      )
    }
  }

  #progress(key: string | undefined): void {
    for (const [replica, progress] of this.#node(key).raft.progress) {
      const { state, matchIndex, nextIndex, isRecovering } = progress
      this.#print(
        `  ${replica}: ${state} match ${matchIndex} next ${nextIndex}${isRecovering ? ' recovering' : ''}`,
      )
    }
  }

  #report(result: unknown): void {
    if (typeof result === 'string') this.#print(`  refused: ${result}`)
  }

  #isLost(message: Message): boolean {
    const isCut = this.#isolated.has(message.from) || this.#isolated.has(message.to)
    return isCut || this.#lost.some(({ route, type }) => isOf(message, route, type))
  }

  #node(key: string | undefined): ScriptNode {
    const node = this.#nodes.get(key ?? '')
    if (node === undefined) throw new Error(`No replica "${key}"`)
    return node
  }

  #print(line: string): void {
    this.#lines.push(line)
  }
}

/** Whether a message is of a route like `1->2` or `*->3`, and of a type. */
function isOf(message: Message, route = '*->*', type?: string): boolean {
  const [from, to] = route.split('->')
  return (
    (from === '*' || message.from === from) &&
    (to === '*' || message.to === to) &&
    (type === undefined || message.type === type)
  )
}

function emptyState(): StoredState {
  const hardState = { term: 0n, vote: undefined }
  return { hardState, snapshot: undefined, entries: [], isRecovering: false, recoveries: 0 }
}
