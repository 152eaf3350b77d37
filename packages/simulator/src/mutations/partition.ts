/** The rules of replication, each taken away in turn: those of the partition cores (D1 to D16), and those of the controller that they rely on. */
import type { Edit, Mutation } from './mutation.ts'

const partition = (name: string) => `packages/partition/src/${name}.ts`
const metadata = (name: string) => `packages/metadata/src/${name}.ts`

function rule(name: string, file: string, edit: Edit & Pick<Mutation, 'and' | 'shownBy'>) {
  return { rule: name, file, ...edit }
}

const cores: readonly Mutation[] = [
  rule('D1: a leadership has its epoch though nothing is written', partition('leader-epochs'), {
    from: '    if (epoch > (this.latest ?? -1)) this.#entries.push({ epoch, startOffset })\n',
    to: '    if (epoch > (this.latest ?? -1) + 1_000) this.#entries.push({ epoch, startOffset })\n',
  }),
  rule('D1: a leadership without a record gives way', partition('leader-epochs'), {
    from: '    if (last !== undefined && epoch < last.epoch && last.startOffset < startOffset) return\n',
    to: '    if (last !== undefined && epoch < last.epoch) return\n',
  }),
  rule('D2: a subscription is of this epoch', partition('partition-leader'), {
    from: '    if (request.leaderEpoch < this.leaderEpoch) return refused(kafkaErrors.FENCED_LEADER_EPOCH)\n    if (request.leaderEpoch > this.leaderEpoch) return',
    to: '    if (request.leaderEpoch < 0) return',
    shownBy: 'packages/partition',
  }),
  rule('D2: a subscription is of the registered process', partition('partition-leader'), {
    from: '    if (brokerEpoch < this.#newestEpochOf(nodeId)) {\n',
    to: '    if (brokerEpoch < 0n) {\n',
    shownBy: 'packages/partition',
  }),
  rule(
    'D2: a subscription is of no process before the one that follows',
    partition('partition-leader'),
    {
      from: '    return subscribed > registered ? subscribed : registered\n',
      to: '    return subscribed < 0n ? subscribed : registered\n',
      shownBy: 'packages/partition',
    },
  ),
  rule('D9: whose stream is gone is not waited for', partition('partition-leader'), {
    from: '    if (hasEnded) return false\n',
    to: '    if (hasEnded && brokerEpoch < 0n) return false\n',
    shownBy: 'packages/partition',
  }),
  rule('D3: a follower is checked for divergence', partition('partition-leader'), {
    from: '    if (end !== undefined) return',
    to: '    if (end?.epoch === -2) return',
  }),
  rule('D3: an equal end proves nothing', partition('leader-epochs'), {
    from: '  return end.epoch === lastEpoch && logEndOffset <= end.endOffset ? undefined : end\n',
    to: '  return logEndOffset <= end.endOffset ? undefined : end\n',
  }),
  rule('D3: an equal epoch proves nothing', partition('leader-epochs'), {
    from: '  return end.epoch === lastEpoch && logEndOffset <= end.endOffset ? undefined : end\n',
    to: '  return end.epoch === lastEpoch ? undefined : end\n',
  }),
  rule('D4: the cut is at the end of the epoch in both logs', partition('leader-epochs'), {
    from: '  return own.endOffset < end.endOffset ? own.endOffset : end.endOffset\n',
    to: '  return own.endOffset\n',
  }),
  rule(
    'D4: the cut is no later than where the own log leaves the epoch',
    partition('leader-epochs'),
    {
      from: '  if (own.epoch !== end.epoch) return own.endOffset\n',
      to: '  if (own.epoch !== end.epoch) return end.endOffset < logEndOffset ? end.endOffset : logEndOffset\n',
    },
  ),
  rule('D4: a cut needs a new subscription', partition('partition-follower'), {
    from: '    this.unsubscribed()\n    const endOffset = agreedEnd',
    to: '    const endOffset = agreedEnd',
    shownBy: 'packages/partition',
  }),
  rule('D5: nothing that is committed is cut', partition('partition-follower'), {
    from: "    if (!this.#isRecovering) return { kind: 'fatal', endOffset }\n",
    to: '',
    shownBy: 'packages/partition',
  }),
  rule('D6: batches are of this subscription', partition('partition-follower'), {
    from: "    if (id !== this.#subscriptionId || !this.#isAccepted) return 'stale'\n",
    to: "    if (id < 0) return 'stale'\n",
  }),
  rule('D6: batches go on where the log ends', partition('partition-follower'), {
    from: "    if (batch.baseOffset === logEndOffset) return 'append'\n",
    to: "    if (batch.nextOffset > logEndOffset) return 'append'\n",
  }),
  rule('D7: a high watermark is within the log', partition('partition-follower'), {
    from: '    const reached = highWatermark < logEndOffset ? highWatermark : logEndOffset\n',
    to: '    const reached = highWatermark\n    void logEndOffset\n',
  }),
  rule('D7: first cut, then commit (KAFKA-14704)', partition('partition-follower'), {
    from: '    if (id !== this.#subscriptionId || !this.#isAccepted) return false\n    const reached',
    to: '    const reached',
    shownBy: 'packages/partition',
  }),
  rule('D8: an acknowledgement is of the subscription that counts', partition('partition-leader'), {
    from: '    if (this.#followers.get(progress.nodeId) !== progress) return false\n    progress.acknowledged',
    to: '    this.#followers.set(progress.nodeId, progress)\n    progress.acknowledged',
    shownBy: 'packages/partition',
  }),
  rule('D8: a new subscription begins a new count', partition('partition-leader'), {
    from: '    this.#followers.set(nodeId, progress)\n    this.#absent',
    to: '    if (!this.#followers.has(nodeId)) this.#followers.set(nodeId, progress)\n    this.#absent',
  }),
  rule('D9: nothing is committed below minIsr (KIP-966)', partition('partition-leader'), {
    from: '    if (!this.hasEnoughInSync) return false\n',
    to: '',
  }),
  rule('D9: whoever may be in sync is waited for (KIP-497)', partition('partition-leader'), {
    from: '    for (const id of this.#inSync.maximal) {\n',
    to: '    for (const id of this.#inSync.members) {\n',
  }),
  rule('D9: a member that was not heard has nothing', partition('partition-leader'), {
    from: '      const offset = this.#followers.get(id)?.offset(isFlushed) ?? 0n\n',
    to: '      const offset = this.#followers.get(id)?.offset(isFlushed) ?? target\n',
  }),
  rule('D9: a leader counts what it has flushed', partition('partition-leader'), {
    from: '    let target = isFlushed ? own.flushedOffset : own.logEndOffset\n',
    to: '    let target = own.logEndOffset\n',
  }),
  rule('D9: a follower counts by what it has flushed', partition('follower-progress'), {
    from: '    return isFlushed ? this.#flushedOffset : this.#logEndOffset\n',
    to: '    return isFlushed || true ? this.#logEndOffset : this.#flushedOffset\n',
  }),
  rule('D9: who joins is waited for', partition('partition-leader'), {
    from: '    if (isNear) this.#joining.add(progress)\n',
    to: '    if (isNear) this.#joining.delete(progress)\n',
  }),
  rule('D9: who is far behind is not waited for', partition('partition-leader'), {
    from: '    const isNear = this.#isEligible(progress) && !this.#hasLagged(progress, nowMs)\n',
    to: '    const isNear = this.#isEligible(progress) && nowMs >= 0\n',
    shownBy: 'packages/partition',
  }),
  rule('D11: who joins has what is committed', partition('partition-leader'), {
    from: 'const isComplete = offset >= this.#highWatermark && offset >=',
    to: 'const isComplete = offset >=',
  }),
  rule('D11: who joins has what the epoch began with', partition('partition-leader'), {
    from: ' && offset >= this.epochStartOffset\n',
    to: '\n',
  }),
  rule('D11: who joins takes part (KIP-841)', partition('partition-leader'), {
    from: '    return this.#brokers.isActive(nodeId) && this.#brokers',
    to: '    return this.#brokers',
    shownBy: 'packages/partition',
  }),
  rule('D11: who joins is the registered process (KIP-903)', partition('partition-leader'), {
    from: ' && this.#brokers.epochOf(nodeId) === brokerEpoch\n',
    to: ' && brokerEpoch >= 0n\n',
    shownBy: 'packages/partition',
  }),
  rule('D12: who is behind for too long leaves', partition('partition-leader'), {
    from: '    const following = this.#inSync.members.filter((id) => !this.#isLagging(id, nowMs))\n',
    to: '    const following = this.#inSync.members.filter((id) => !this.#isLagging(id, -nowMs))\n',
    shownBy: 'packages/partition',
  }),
  rule('D12: the clock starts with the epoch', partition('partition-leader'), {
    from: '    if (progress === undefined) return nowMs - this.#startedMs > this.#lagMsMax\n',
    to: '    if (progress === undefined) return nowMs > this.#lagMsMax\n',
    shownBy: 'packages/partition',
  }),
  rule('D12: a follower is not to blame for a silence', partition('partition-leader'), {
    from: '    progress.observe(this.#end, nowMs)\n',
    to: '',
    shownBy: 'packages/partition',
  }),
  rule('D12: who is absent leaves while enough are left', partition('partition-leader'), {
    from: '    return present.length >= this.#registration.minIsr ? present : following\n',
    to: '    return present\n',
    shownBy: 'packages/partition',
  }),
  rule('D14: a replica that was removed is forgotten', partition('partition-leader'), {
    from: '      if (!registration.replicas.includes(nodeId)) this.#followers.delete(nodeId)\n',
    to: '',
    shownBy: 'packages/partition',
  }),
  rule('D16: what the leader has deleted cannot be compared', partition('partition-leader'), {
    from: '    return this.#logStartOffset > 0n && lastEpoch !== -1 && lastEpoch < first\n',
    to: '    return lastEpoch < -first - 2\n',
  }),
  rule('D16: who ends before the start begins anew', partition('partition-leader'), {
    from: '    if (logEndOffset < this.#logStartOffset) return true\n',
    to: '',
  }),
  rule('proposals: taken back by a higher partition epoch only', partition('in-sync-set'), {
    from: '    this.#pending = undefined\n    return true\n  }\n}',
    to: '    this.#pending = undefined\n    this.#maximal = this.#members\n    return true\n  }\n}',
  }),
  rule('proposals: who was refused is got rid of by a bump', partition('in-sync-set'), {
    from: 'bump: isSame && this.isUnsettled }',
    to: 'bump: false }',
  }),
  rule('proposals: an older state is no news', partition('in-sync-set'), {
    from: '    if (committed.partitionEpoch <= this.#partitionEpoch) return false\n',
    to: '    if (committed.partitionEpoch < 0) return false\n',
  }),
  rule('flush: all in sync have flushed what there was', partition('partition-leader'), {
    from: '      (id) => id === this.#nodeId || (this.#followers.get(id)?.flushedOffset ?? 0n) >= target,\n',
    to: '      (id) => id === this.#nodeId || this.#followers.has(id),\n',
    shownBy: 'packages/partition',
  }),
  rule('flush: the leader has flushed what there was', partition('partition-leader'), {
    from: '    if (target === undefined || this.#ownOffsets.flushedOffset < target) return false\n',
    to: '    if (target === undefined) return false\n',
  }),
  rule('flush: what is flushed counts as soon as that is wanted', partition('partition-leader'), {
    from: '    return this.#registration.isFlushed || this.#flushTarget !== undefined\n',
    to: '    return this.#registration.isFlushed\n',
  }),
]

const controller: readonly Mutation[] = [
  rule('controller: a proposal is of the current partition epoch', metadata('alter-partition'), {
    from: '  if (partitionEpoch < before.partitionEpoch) return kafkaErrors.INVALID_UPDATE_VERSION\n',
    to: '',
  }),
  rule('controller: a proposal is of the current leader epoch', metadata('alter-partition'), {
    from: '  if (leaderEpoch < before.leaderEpoch) return kafkaErrors.FENCED_LEADER_EPOCH\n',
    to: '',
    and: {
      from: '  if (sender.nodeId !== before.leader) return kafkaErrors.INVALID_REQUEST\n  if (partitionEpoch < before.partitionEpoch) return kafkaErrors.INVALID_UPDATE_VERSION\n',
      to: '  if (sender.nodeId !== before.leader) return kafkaErrors.INVALID_REQUEST\n',
    },
  }),
  rule('controller: nobody fenced is in sync (KIP-841)', metadata('alter-partition'), {
    from: '  if (!isActive(broker) && nodeId !== sender.nodeId) return false\n',
    to: '',
  }),
  rule(
    'controller: who joins is the process that the leader has met (KIP-903)',
    metadata('alter-partition'),
    {
      from: '  return brokerEpoch === broker.brokerEpoch\n',
      to: '  return true\n',
    },
  ),
  rule('controller: flushed again when nobody eligible is away', metadata('alter-partition'), {
    from: '    after.elr.length === 0 &&\n',
    to: '',
  }),
  rule('controller: a proposal is believed where it is wanted', metadata('alter-partition'), {
    from: '    proposed.hasFlushed &&\n',
    to: '',
  }),
  rule(
    'controller: nobody is eligible beside enough in sync (KIP-966)',
    metadata('partition-change'),
    {
      from: '  if (targetIsr.length >= minIsr) return { elr: [], lastKnownElr: [] }\n',
      to: '',
    },
  ),
  rule('controller: who lost data is not eligible (KIP-966)', metadata('partition-change'), {
    from: ' && id !== unclean?.nodeId)',
    to: ')',
  }),
  rule(
    'controller: the eligible lead when nobody is in sync (KIP-966)',
    metadata('partition-change'),
    {
      from: 'isr.length === 0 ? replicas.find',
      to: 'isr.length >= 0 ? replicas.find',
      shownBy: 'packages/metadata',
    },
  ),
  rule('controller: who leads is in sync', metadata('partition-change'), {
    from: '  const mayLead = (id: NodeId) => isr.includes(id) && isActive(id)\n',
    to: '  const mayLead = (id: NodeId) => isActive(id)\n',
  }),
  rule('controller: a change of minIsr raises the partition epoch', metadata('partition-change'), {
    from: '    after.minIsr !== before.minIsr ||\n',
    to: '',
  }),
  rule('controller: a bump raises the partition epoch', metadata('partition-change'), {
    from: 'if (!isChanged && !bump) return before',
    to: 'if (!isChanged) return before',
  }),
  rule('controller: another leader is another epoch', metadata('partition-change'), {
    from: '    leaderEpoch: before.leaderEpoch + (isOtherLeader || isReassigned || isEmptied ? 1 : 0),\n',
    to: '    leaderEpoch: before.leaderEpoch + (isReassigned || isEmptied ? 1 : 0),\n',
  }),
  rule('controller: a removed replica raises the leader epoch', metadata('partition-change'), {
    from: '    leaderEpoch: before.leaderEpoch + (isOtherLeader || isReassigned || isEmptied ? 1 : 0),\n',
    to: '    leaderEpoch: before.leaderEpoch + (isOtherLeader || isEmptied ? 1 : 0),\n',
  }),
  rule(
    'controller: a reassignment waits for all newcomers (KIP-455)',
    metadata('partition-change'),
    {
      from: '  if (!addingReplicas.every((id) => targetIsr.includes(id))) return undefined\n',
      to: '',
    },
  ),
  rule('controller: a reassignment leaves enough in sync (KIP-455)', metadata('partition-change'), {
    from: '  if (inSync.length < Math.min(context.minIsrSetting, staying.length)) return undefined\n',
    to: '',
  }),
  rule('controller: a reassignment leaves somebody complete', metadata('reassignment'), {
    from: '  if (lost !== undefined) return { error: kafkaErrors.INVALID_REPLICA_ASSIGNMENT, message: lost }\n',
    to: '',
  }),
  rule('controller: a restarted replica is out of sync', metadata('registration'), {
    from: '  const targetIsr = partition.isr.filter((other) => other !== nodeId)\n',
    to: '  const targetIsr = partition.isr\n',
  }),
  rule(
    'controller: a disk counts under the registration that it was in use with',
    metadata('registration'),
    {
      from: "  if (brokerEpoch !== stored.brokerEpoch) return 'unknown'\n",
      to: '',
    },
  ),
  rule('controller: a new disk has nothing', metadata('registration'), {
    from: "  if (cleanliness === 'unknown') {",
    to: '  if (cleanliness === undefined) {',
  }),
  rule('controller: a crash of the machine loses what was not flushed', metadata('registration'), {
    from: "cleanliness === 'os-crash' && !partition.isFlushed",
    to: "cleanliness === 'os-crash' && partition.isFlushed",
  }),
  rule('controller: a fenced broker leaves the in-sync sets', metadata('brokers'), {
    from: '    partition.isr.includes(nodeId)\n      ? { targetIsr: partition.isr.filter((other) => other !== nodeId) }\n      : undefined,\n  )\n}\n\ninterface PartitionChanges',
    to: '    partition.isr.includes(nodeId) && partition.leader === nodeId\n      ? { targetIsr: partition.isr.filter((other) => other !== nodeId) }\n      : undefined,\n  )\n}\n\ninterface PartitionChanges',
  }),
  rule('controller: who unfences leads where it is the last', metadata('brokers'), {
    from: '    return partition.leader === -1 && isCandidate ? {} : undefined\n',
    to: '    return partition.leader === -2 && isCandidate ? {} : undefined\n',
  }),
  rule('controller: an older process has no say', metadata('brokers'), {
    from: '  if (broker.brokerEpoch === brokerEpoch) return broker\n',
    to: '  if (broker.brokerEpoch >= brokerEpoch) return broker\n',
    shownBy: 'packages/metadata',
  }),
  rule('controller: who is elected uncleanly is the only one', metadata('elections'), {
    from: ', elr: [], lastKnownElr: [] }\n',
    to: ' }\n',
    shownBy: 'packages/metadata',
  }),
]

export const partitionMutations: readonly Mutation[] = [...cores, ...controller]
