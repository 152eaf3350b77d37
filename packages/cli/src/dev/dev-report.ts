/** What `naru dev` says: to a person, or as one line of JSON for each event. */
import { styled, warn } from '../style.ts'
import { version } from '../version.ts'
import type { BrokerEnd, Ready } from './local-cluster.ts'
import { defaultPort } from './port-rule.ts'

export interface DevReport {
  begins(): void
  brokerReady(ready: Ready, readyMs: number): void
  allReady(brokers: readonly Ready[], readyMs: number): void
  /** These have not answered for long. */
  overdue(nodeIds: readonly number[]): void
  /** One has ended by itself; `running` others still run. */
  ended(end: BrokerEnd, running: number): void
  stopped(): void
}

export function textReport(directory: string): DevReport {
  let areReady = false
  return {
    begins() {
      console.log(`naru ${version} · Node ${process.versions.node} · data in ${directory}\n`)
    },
    brokerReady() {},
    allReady(brokers, readyMs) {
      areReady = true
      console.log(readyText(brokers, readyMs))
    },
    overdue(nodeIds) {
      const one = nodeIds.length === 1
      warn(`broker ${nodeIds.join(', ')} ${one ? 'is' : 'are'} not ready yet; Ctrl-C stops all`)
    },
    ended(end, running) {
      // Otherwise it is the end of all, and the reason for it.
      if (!areReady || running === 0) return
      warn(`broker ${end.nodeId} ended ${howItEnded(end)}; the others go on. It said`)
      process.stderr.write(`${indented(lastWords(end))}\n`)
    },
    stopped() {
      console.log('\nstopped; the data stays')
    },
  }
}

export function jsonReport(directory: string): DevReport {
  const print = (event: object) => console.log(JSON.stringify(event))
  return {
    begins() {},
    brokerReady(ready, readyMs) {
      print({ ...ready, bootstrap: bootstrapOf(ready), directory, readyMs: Math.round(readyMs) })
    },
    allReady(brokers, readyMs) {
      print({
        event: 'cluster-ready',
        brokers: brokers.map(({ nodeId }) => nodeId),
        bootstrap: brokers.map(bootstrapOf).join(','),
        quorum: newestQuorum(brokers),
        directory,
        readyMs: Math.round(readyMs),
      })
    },
    overdue(brokers) {
      print({ event: 'overdue', brokers })
    },
    ended(end) {
      print({ event: 'ended', ...end })
    },
    stopped() {
      print({ event: 'stopped' })
    },
  }
}

/** `with code 1`, `by SIGKILL`. */
export function howItEnded({ code, signal }: BrokerEnd): string {
  return code === null ? `by ${signal ?? 'a signal'}` : `with code ${code}`
}

/** The broker has told why in its last lines: its own failure where it has one. */
export function lastWords({ lastLines }: BrokerEnd): string {
  const from = lastLines.findLastIndex((line) => line.startsWith('✗'))
  return lastLines.slice(Math.max(0, from)).join('\n')
}

/** What a person sees when all are ready. */
export function readyText(brokers: readonly Ready[], readyMs: number): string {
  const check = styled('green', '✓')
  const lines = brokers.map((ready) => {
    const grpc = ready.grpc === undefined ? '' : `   grpc :${ready.grpc.port}`
    return `  ${check} broker ${ready.nodeId}   kafka ${bootstrapOf(ready)}${grpc}`
  })
  const quorum = brokers.length > 1 ? newestQuorum(brokers) : undefined
  if (quorum !== undefined) {
    const { leaderId, leaderEpoch, voters } = quorum
    const present = voters.filter((id) => brokers.some(({ nodeId }) => nodeId === id)).length
    const state = `leader ${leaderId} · epoch ${leaderEpoch} · ${present}/${voters.length} voters`
    lines.push(`  ${check} quorum     ${state}`)
  }
  const bootstrap = bootstrapOf(brokers[0])
  const at = bootstrap === `localhost:${defaultPort}` ? '' : ` -b ${bootstrap}`
  return `${lines.join('\n')}        ready in ${(readyMs / 1000).toFixed(1)} s

  Bootstrap    ${bootstrap}

  Try          npx naru topic create orders -p 3${at}
               echo hello | npx naru produce orders${at}
               npx naru consume orders -o start -n 1${at}
  Or           kcat -b ${bootstrap} -L

Press Ctrl-C to stop; the data stays.`
}

export function bootstrapOf(ready: Ready | undefined): string {
  return `localhost:${ready?.listeners[0]?.port ?? 0}`
}

/** Brokers that were ready earlier may know an earlier leader. */
function newestQuorum(brokers: readonly Ready[]): Ready['quorum'] {
  return brokers
    .map(({ quorum }) => quorum)
    .filter((quorum) => quorum !== undefined)
    .sort((a, b) => b.leaderEpoch - a.leaderEpoch)[0]
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ')
}
