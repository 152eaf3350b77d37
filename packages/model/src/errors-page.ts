import { type KafkaError, kafkaErrors } from './errors.ts'

/** `docs/ERRORS.md`. */
export function errorsPage(): string {
  const rows = Object.values<KafkaError>(kafkaErrors)
    .sort((a, b) => a.code - b.code)
    .map((e) => `| ${e.code} | ${e.name} | ${e.retriable ? 'yes' : 'no'} | ${e.description} |`)
  return [
    '# Errors',
    '',
    'The error codes of the Kafka protocol. Generated from `packages/model/src/errors.ts` by `npm run docs`.',
    '',
    '| Code | Name | Retriable | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
