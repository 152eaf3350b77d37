import { brokerSettingKeys, type ConfigKey, topicConfigKeys } from '@naru/model'
import { acceptedKeys } from './accepted-keys.ts'
import { brokerConfigKeys, refusedKeys } from './config-keys.ts'

/** `docs/CONFIG.md`. */
export function configPage(): string {
  return [
    '# Configuration',
    '',
    'Generated from `packages/broker/src/config-keys.ts`, `packages/model/src/broker-settings.ts` and `packages/model/src/topic-config.ts` by `npm run docs`.',
    '',
    'Later wins: built-in value, file (`naru start -c FILE`, in the form of `server.properties`), `KAFKA_*` environment variables,',
    '`NARU_*` environment variables, `--set key=value`. In names of variables `.` is `_`, `_` is `__` and `-` is `___`. Values in',
    'milliseconds take `ms`, `s`, `m`, `h` and `d`, those in bytes `KiB`, `MiB`, `GiB` and `TiB`.',
    '',
    '## Broker',
    '',
    ...table(brokerConfigKeys),
    '',
    '## Broker, while it runs',
    '',
    'These are part of the metadata of the cluster, for one broker or, under the empty name, for all, and go before what a file says.',
    "Kafka's tools change them (`kafka-configs --entity-type brokers`, `kafka-reassign-partitions --throttle`).",
    '',
    ...table(brokerSettingKeys),
    '',
    '## Topic',
    '',
    ...table(topicConfigKeys),
    '',
    '## Accepted without effect',
    '',
    'Keys of Kafka that have no meaning here, or not yet. The broker names those that it was given when it starts.',
    '',
    ...acceptedKeys.map(({ name }) => `- \`${name}\``).sort(),
    '',
    '## Refused',
    '',
    ...refusedKeys.map(
      ({ prefix, reason }) => `- \`${prefix}${prefix.endsWith('.') ? '*' : ''}\`: ${reason}`,
    ),
    '',
  ].join('\n')
}

function table(keys: readonly ConfigKey[]): string[] {
  const rows = keys.map((key) => {
    const effect = key.effect === 'works' ? '' : ' (accepted without effect)'
    const choice = key.oneOf === undefined ? '' : ` One of ${key.oneOf.join(', ')}.`
    return `| \`${key.name}\` | ${key.type} | ${key.default || '(none)'} | ${key.documentation}${choice}${effect} |`
  })
  return ['| Key | Type | Default | Meaning |', '| --- | --- | --- | --- |', ...rows]
}
