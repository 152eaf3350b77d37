/** The rules of the controller, each taken away in turn. */
import type { Mutation } from './mutation.ts'

const shownBy = 'packages/metadata'

function rule(name: string, file: string, edit: { from: string; to: string }): Mutation {
  return { rule: name, file: `packages/metadata/src/${file}.ts`, ...edit, shownBy }
}

export const controllerMutations: readonly Mutation[] = [
  rule('an ISR of minIsr leaves nobody else eligible (KIP-966)', 'partition-change', {
    from: '  if (targetIsr.length >= minIsr) return { elr: [], lastKnownElr: [] }\n',
    to: '',
  }),
  rule('a replica that lost data is not eligible (KIP-966)', 'partition-change', {
    from: ' && id !== unclean?.nodeId)',
    to: ')',
  }),
  rule('the eligible lead only when the ISR is empty (KIP-966)', 'partition-change', {
    from: 'isr.length === 0 ? replicas.find',
    to: 'isr.length >= 0 ? replicas.find',
  }),
  rule('a change of minIsr raises the partition epoch', 'partition-change', {
    from: '    after.minIsr !== before.minIsr ||\n',
    to: '',
  }),
  rule('a bump raises the partition epoch', 'partition-change', {
    from: 'if (!isChanged && !bump) return before',
    to: 'if (!isChanged) return before',
  }),
  rule('a reassignment waits for all newcomers (KIP-455)', 'partition-change', {
    from: '  if (!addingReplicas.every((id) => targetIsr.includes(id))) return undefined\n',
    to: '',
  }),
  rule('a reassignment leaves minIsr in sync (KIP-455)', 'partition-change', {
    from: '  if (inSync.length < Math.min(context.minIsrSetting, staying.length)) return undefined\n',
    to: '',
  }),
  rule('a removed replica is remembered until it confirms', 'partition-change', {
    from: '[...held, ...left]',
    to: 'held',
  }),
  rule(
    'a disk counts only under the registration that it was in use with (KIP-966)',
    'registration',
    {
      from: "  if (brokerEpoch !== stored.brokerEpoch) return 'unknown'\n",
      to: '',
    },
  ),
  rule('a crash of the machine loses what was not flushed', 'registration', {
    from: "cleanliness === 'os-crash' && !partition.isFlushed",
    to: "cleanliness === 'os-crash' && partition.isFlushed",
  }),
  rule('a cloned disk does not replace a process that is heard', 'registration', {
    from: 'if (isSameDisk && request.isPreviousSilent) return undefined',
    to: 'if (isSameDisk) return undefined',
  }),
  rule('a proposal is for the current partition epoch', 'alter-partition', {
    from: '  if (partitionEpoch < before.partitionEpoch) return kafkaErrors.INVALID_UPDATE_VERSION\n',
    to: '',
  }),
  rule('a proposed member takes part (KIP-841)', 'alter-partition', {
    from: '  if (!isActive(broker) && nodeId !== sender.nodeId) return false\n',
    to: '  if (!isActive(broker) && nodeId === -1) return false\n',
  }),
  rule('a member that joins is the process that the leader has met (KIP-903)', 'alter-partition', {
    from: '  return brokerEpoch === broker.brokerEpoch\n',
    to: '  return brokerEpoch <= broker.brokerEpoch\n',
  }),
  rule('flushed again means that nobody eligible is away', 'alter-partition', {
    from: '    after.elr.length === 0 &&\n',
    to: '',
  }),
  rule('an unclean election is allowed or commanded', 'elections', {
    from: 'if (!isCommanded && !allowsUnclean',
    to: "if (topic === '' && !allowsUnclean",
  }),
  rule('nobody is asked where no unclean election is allowed', 'unclean-elections', {
    from: '      if (!isAllowed) break\n',
    to: '',
  }),
  rule('who is away is no candidate', 'unclean-elections', {
    from: "activityOf(each, id) === 'active'",
    to: "activityOf(each, id) !== 'stopping'",
  }),
  rule('a setting of the controller goes before that of all brokers', 'broker-settings', {
    from: "settingOf(String(nodeId)) ?? settingOf('')",
    to: "settingOf('') ?? settingOf(String(nodeId))",
  }),
  rule('others join though one may have to be cut back that is away', 'alter-partition', {
    from: 'if (proposed.isRecovering && !before.isRecovering)',
    to: 'if (proposed.isRecovering && (!before.isRecovering || members.length > 1))',
  }),
  rule('a candidate is the process that was asked', 'elections', {
    from: '      image.brokers.get(nodeId)?.brokerEpoch === brokerEpoch &&\n',
    to: '      brokerEpoch >= 0n &&\n',
  }),
  rule(
    'a partition is not left without a complete replica by who takes back a move',
    'reassignment',
    {
      from: '  if (lost !== undefined) return { error: kafkaErrors.INVALID_REPLICA_ASSIGNMENT, message: lost }\n',
      to: '',
    },
  ),
  rule('who unfences has read up to its registration', 'broker-liveness', {
    from: 'if (wantFence || wantShutdown || !hasCaughtUp) return',
    to: 'if (wantFence || wantShutdown) return',
  }),
  rule('an early fence needs a closed stream', 'broker-liveness', {
    from: 'if (suspicion.isClosed) this.#fenceEarly',
    to: 'if (suspicion.sinceMs >= 0) this.#fenceEarly',
  }),
  rule('false alarms are limited', 'broker-liveness', {
    from: '    if (!this.#falseFences.mayFence(broker.nodeId, nowMs)) return\n',
    to: '',
  }),
  rule('real deaths are not limited', 'broker-liveness', {
    from: 'session.wasFencedEarly = true',
    to: 'this.#falseFences.note(broker.nodeId, nowMs)',
  }),
  rule('a broker stops when all others know who leads', 'broker-liveness', {
    from: '      if (other.metadataOffset < shutdown.index) return false\n',
    to: '',
  }),
]
