import { type KafkaError, kafkaErrors } from './errors.ts'
import { type NaruErrorEntry, naruErrors } from './naru-errors.ts'

/** `docs/ERRORS.md`. */
export function errorsPage(): string {
  const kafka = Object.values<KafkaError>(kafkaErrors)
    .sort((a, b) => a.code - b.code)
    .map((e) => `| ${e.code} | ${e.name} | ${e.retriable ? 'yes' : 'no'} | ${e.description} |`)
  const naru = Object.values<NaruErrorEntry>(naruErrors)
    .sort((a, b) => (a.code < b.code ? -1 : 1))
    .map((e) => `| ${e.code} | ${e.name} | ${e.meaning} | ${e.remedy} |`)
  return [
    '# Errors',
    '',
    'Generated from `packages/model/src/errors.ts` and `packages/model/src/naru-errors.ts` by `npm run docs`.',
    '`naru errors CODE` looks one up.',
    '',
    "## Naru's own",
    '',
    'What programs and brokers of Naru say outside the Kafka protocol.',
    '',
    '| Code | Name | Meaning | What to do |',
    '| --- | --- | --- | --- |',
    ...naru,
    '',
    '## The Kafka protocol',
    '',
    'The command line names them `KAFKA-` and the code.',
    '',
    '| Code | Name | Retriable | Meaning |',
    '| --- | --- | --- | --- |',
    ...kafka,
    '',
  ].join('\n')
}
