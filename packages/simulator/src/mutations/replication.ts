/** The rules by which partitions are replicated, of the shells and of what they rely on in the cores, each taken away in turn. */
import type { Mutation } from './mutation.ts'

const replication = (name: string) => `packages/replication/src/${name}.ts`
const partition = (name: string) => `packages/partition/src/${name}.ts`
const services = (name: string) => `packages/services/src/${name}.ts`

const followerRules: readonly Mutation[] = [
  {
    rule: 'a follower acknowledges what its log has confirmed',
    file: replication('following-replica'),
    from: '    return { id: this.#id, ...offsetsOf(this.#log) }\n',
    to: '    const { logEndOffset } = this.#log\n    return { id: this.#id, logEndOffset, flushedOffset: logEndOffset }\n',
  },
  {
    rule: 'D4: a follower cuts what its leader does not have',
    file: replication('following-replica'),
    from: '    else this.#change(() => this.#options.directory.truncate(this.#log, endOffset))\n',
    to: '    else this.#change(async () => {})\n',
  },
  {
    rule: 'D7: a follower takes for committed what its log holds',
    file: partition('partition-follower'),
    from: '    const reached = highWatermark < logEndOffset ? highWatermark : logEndOffset\n',
    to: '    const reached = highWatermark + logEndOffset - logEndOffset\n',
  },
  {
    rule: 'D16: a log that begins anew begins with a batch',
    file: partition('partition-follower'),
    from: "    return isWithin ? 'within' : 'gap'\n",
    to: "    return isWithin ? 'gap' : 'gap'\n",
  },
  {
    rule: 'D16: a start that moves while the one before is made durable is followed',
    file: replication('following-replica'),
    from: '        if (this.#log.logStartOffset < offset || this.#isOver) return\n',
    to: '        return\n',
    shownBy: 'packages/simulator/src/deleted-records.test.ts',
  },
  {
    rule: 'D16: who may lead keeps the end of its log',
    file: replication('following-replica'),
    from: '    if (logEndOffset < startOffset) await directory.restartAt(this.#log, startOffset)\n',
    to: '    if (logEndOffset <= startOffset) await directory.restartAt(this.#log, startOffset)\n',
  },
  {
    rule: 'KIP-73: a rate that was raised is used at once',
    file: replication('throttle'),
    from: '    this.#timer?.cancel()\n    this.#timer = undefined\n    this.#serve()\n',
    to: '    this.#timer?.cancel()\n    this.#timer = undefined\n',
  },
  {
    rule: 'a follower acknowledges again when its flush mode has changed',
    file: services('partition-host'),
    from: '    ;(this.#leading ?? this.#following)?.confirmed()\n',
    to: '',
  },
  {
    rule: 'a stream whose leader is not heard is given up',
    file: replication('leader-stream'),
    from: '      if (this.#unheard++ >= silentMax) {\n',
    to: '      if (silentMax < 0) {\n',
  },
  {
    rule: 'a stream that broke is opened again',
    file: replication('leader-stream'),
    from: '    if (!this.isEmpty) this.#reconnect()\n',
    to: '',
  },
]

const leaderRules: readonly Mutation[] = [
  {
    rule: 'a leader counts of its own log what is confirmed',
    file: replication('leading-replica'),
    from: '    this.#settle(this.core.confirmed(offsetsOf(this.log)))\n',
    to: '    const { logEndOffset } = this.log\n    this.#settle(this.core.confirmed({ logEndOffset, flushedOffset: logEndOffset }))\n',
  },
  {
    rule: 'D3: a follower whose log is another is not fed',
    file: partition('partition-leader'),
    from: "    if (end !== undefined) return { kind: 'diverging', ...end }\n",
    to: '    void end\n',
  },
  {
    rule: 'a subscription counts for nothing before its first acknowledgement',
    file: partition('partition-leader'),
    from: '      offsets: { logEndOffset: flushedOffset, flushedOffset },\n',
    to: '      offsets: { logEndOffset: request.logEndOffset, flushedOffset },\n',
    shownBy: 'packages/partition',
  },
  {
    rule: 'D9: nothing is committed with fewer than minIsr',
    file: partition('partition-leader'),
    from: '    if (!this.hasEnoughInSync) return false\n',
    to: '',
  },
  {
    rule: 'D9: nothing is committed without who may be in sync',
    file: partition('partition-leader'),
    from: '    for (const id of this.#inSync.maximal) {\n',
    to: '    for (const id of this.#inSync.members) {\n',
  },
  {
    rule: 'a proposal that was refused may still take effect',
    file: partition('in-sync-set'),
    from: '    this.#pending = undefined\n    return true\n  }\n}',
    to: '    this.#pending = undefined\n    this.#maximal = this.#members\n    return true\n  }\n}',
  },
  {
    rule: 'D11: who joins has all that is committed',
    file: partition('partition-leader'),
    from: '    const isComplete = offset >= this.#highWatermark && offset >= this.epochStartOffset\n',
    to: '    const isComplete = offset >= 0n\n',
  },
  {
    rule: 'a follower is fed from where its log ends',
    file: replication('serving-stream'),
    from: '      const nextOffset = subscription.logEndOffset\n',
    to: '      const nextOffset = leading.core.logEndOffset\n',
  },
  {
    rule: 'who is to be sent what is deleted is told where the log begins now',
    file: replication('serving-stream'),
    from: '    const { logStartOffset } = feed.leading.log\n',
    to: '    const { logStartOffset } = feed.leading.core\n',
  },
  {
    rule: 'followers that came early are heard when the partition begins to lead',
    file: replication('serving-stream'),
    from: '    for (const subscription of early) this.#subscribe(subscription)\n',
    to: '    early.length = 0\n',
  },
  {
    rule: 'followers that came early are heard when there are other replicas',
    file: services('partition-host'),
    from: '      leading.adopt(assignment)\n      this.#around.onLeading()\n',
    to: '      leading.adopt(assignment)\n',
  },
  {
    rule: 'a process leads nothing that was given to the one before',
    file: services('partitions'),
    from: '    const isMeant = partition.leader !== nodeId || isRegistered()\n',
    to: '    const isMeant = true || partition.leader !== nodeId || isRegistered()\n',
    shownBy: 'packages/simulator/src/partitions.test.ts',
  },
  {
    rule: 'a broker that is not registered waits before it proposes',
    file: services('isr-proposals'),
    from: '      await new Promise<void>((resolve) => clock.setTimer(retryMs, resolve))\n',
    to: '',
    shownBy: 'packages/simulator/src/isr-proposals.test.ts',
  },
]

const flushRules: readonly Mutation[] = [
  {
    rule: 'who lost its power may lack what was not flushed',
    file: 'packages/metadata/src/registration.ts',
    from: "cleanliness === 'os-crash' && !partition.isFlushed",
    to: "cleanliness === 'unknown' && !partition.isFlushed",
  },
  {
    rule: 'a topic that is flushed no more is known for that',
    file: 'packages/metadata/src/configs.ts',
    from: '{ isMinIsrChange, isFlushed: false }',
    to: '{ isMinIsrChange }',
  },
]

const clientRules: readonly Mutation[] = [
  {
    rule: 'acks=all waits for all in-sync replicas',
    file: services('partition-host'),
    from: '    else leading.whenCommitted(endOffset, timeoutMs, done)\n',
    to: '    else leading.whenWritten(endOffset, timeoutMs, done)\n',
  },
  {
    rule: 'consumers read what is committed',
    file: services('fetch'),
    from: '  if (fetchOffset >= highWatermark || (limits.maxBytes <= 0 && !limits.atLeastOne)) return base\n',
    to: '  if (limits.maxBytes <= 0 && !limits.atLeastOne) return base\n',
    and: { from: '      upTo: highWatermark,\n', to: '      upTo: replica.logEndOffset,\n' },
  },
  {
    rule: 'readers see of a follower what is committed',
    file: partition('partition-follower'),
    from: '    return this.#highWatermark < writtenOffset ? this.#highWatermark : writtenOffset\n',
    to: '    return writtenOffset\n',
  },
  {
    rule: 'readers see what a follower has written',
    file: partition('partition-follower'),
    from: '    return this.#highWatermark < writtenOffset ? this.#highWatermark : writtenOffset\n',
    to: '    return this.#highWatermark\n',
    shownBy: 'packages/partition',
  },
  {
    rule: 'readers see nothing of a follower of an unclean leader before they agree',
    file: partition('partition-follower'),
    from: '    if (!this.#isAgreed) return undefined\n',
    to: '',
    shownBy: 'packages/simulator/src/follower-reads.test.ts',
  },
  {
    rule: 'readers see nothing of a log that is begun anew',
    file: replication('following-replica'),
    from: '    if (this.#changing !== undefined || this.#isOver) return undefined\n    return this.core.readableEnd',
    to: '    if (this.#isOver) return undefined\n    return this.core.readableEnd',
    shownBy: 'packages/simulator/src/follower-reads.test.ts',
  },
  {
    rule: 'readers who wait at a follower hear of what is committed',
    file: replication('following-replica'),
    from: '    this.#toldEnd = readableEnd\n    this.#options.onMoved()\n',
    to: '    this.#toldEnd = readableEnd\n',
    shownBy: 'packages/simulator/src/follower-reads.test.ts',
  },
  {
    rule: 'readers who wait at a follower are told when it follows no more',
    file: services('partition-host'),
    from: '    following.end()\n    this.#wakeWatchers()\n',
    to: '    following.end()\n',
    shownBy: 'packages/simulator/src/follower-reads.test.ts',
  },
  {
    rule: 'readers who are ahead of a follower wait',
    file: services('fetch'),
    from: '  const hasFailed = error !== kafkaErrors.NONE && !isEarly\n',
    to: '  const hasFailed = error !== kafkaErrors.NONE\n',
    shownBy: 'packages/simulator/src/follower-reads.test.ts',
  },
  {
    rule: 'readers that know of no followers get nothing from them',
    file: services('partition-host'),
    from: '    if (!ofFollowers || !isFollowing) return kafkaErrors.NOT_LEADER_OR_FOLLOWER\n',
    to: '    if (!isFollowing) return kafkaErrors.NOT_LEADER_OR_FOLLOWER\n',
    shownBy: 'packages/simulator/src/follower-reads.test.ts',
  },
  {
    rule: 'readers who are sent away are not kept waiting',
    file: services('fetch'),
    from: '  return !hasFailed && divergingEpoch === null && preferredReplica === undefined\n',
    to: '  return !hasFailed && divergingEpoch === null\n',
    shownBy: 'packages/simulator/src/follower-reads.test.ts',
  },
  {
    rule: 'a topic is told from a deleted one of its name',
    file: services('partitions'),
    from: '    return host?.topicId === topicId ? host.leading : undefined\n',
    to: '    return host?.leading\n',
    shownBy: 'packages/simulator/src/partitions.test.ts',
  },
  {
    rule: 'a start remembers all that a producer may repeat',
    file: partition('producer-snapshot'),
    from: '    writeBatches(earlier, entry.batches.slice(0, -1))\n',
    to: '    writeBatches(earlier, [])\n',
  },
  {
    rule: 'a log is loaded before its deletion, or not at all',
    file: 'packages/log/src/log-directory.ts',
    from: '      state.loading ??= this.#change(log, () => loadLog(log, derived))\n',
    to: '      state.loading ??= loadLog(log, derived)\n',
  },
]

const lossRules: readonly Mutation[] = [
  {
    rule: 'loss: what a start misses is told before the broker takes part',
    file: services('lost-replicas'),
    from: '      ...partitions.absent(),\n',
    to: '',
  },
  {
    rule: 'loss: who lacks records leads nobody, though it was the last in sync',
    file: 'packages/metadata/src/lost-replicas.ts',
    from: '  if (isMissing && replicas.length > 1) return true\n',
    to: '',
    shownBy: 'packages/metadata/src/lost-replicas.test.ts',
  },
  {
    rule: 'loss: a log that was put aside is not missed',
    file: 'packages/log/src/recovery.ts',
    from: '!logs.has(logId) && !aside.has(logId)',
    to: '!logs.has(logId)',
    shownBy: 'packages/simulator/src/partitions.test.ts',
  },
  {
    rule: 'loss: another leader epoch begins when a replica is emptied',
    file: 'packages/metadata/src/lost-replicas.ts',
    from: "    const isEmptied = lost === 'everything' && !request.isStarting\n",
    to: '    const isEmptied = false\n',
    shownBy: 'packages/metadata/src/lost-replicas.test.ts',
  },
  {
    rule: 'loss: a damaged batch ends one subscription, and no stream',
    file: replication('leader-stream'),
    from: '      this.#refuse(replica)\n',
    to: '      this.#stream?.reset()\n',
    shownBy: 'packages/replication/src/leader-stream.test.ts',
  },
  {
    rule: 'loss: a removed replica takes no role, loaded or not',
    file: services('partition-host'),
    from: '    this.#isRemoved = true\n',
    to: '',
    shownBy: 'packages/simulator/src/partitions.test.ts',
  },
  {
    rule: 'loss: a damaged replica takes no role until it is known what becomes of it',
    file: services('partition-host'),
    from: '    if (this.#isWithdrawn) return\n',
    to: '',
    shownBy: 'packages/simulator/src/partitions.test.ts',
  },
]

export const replicationMutations: readonly Mutation[] = [
  ...followerRules,
  ...leaderRules,
  ...flushRules,
  ...clientRules,
  ...lossRules,
]
