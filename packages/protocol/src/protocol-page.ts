import { apis } from './apis/index.ts'

/** `docs/PROTOCOL.md`. */
export function protocolPage(): string {
  const rows = Object.values(apis)
    .map((api) => api.definition)
    .sort((a, b) => a.key - b.key)
    .map(({ key, name, versions, advertisedMin, flexibleSince }) => {
      const refused =
        advertisedMin === undefined ? '' : ` (${advertisedMin} to ${versions[0] - 1} are refused)`
      const flexible = flexibleSince === undefined ? 'none' : `${flexibleSince}+`
      return `| ${key} | ${name} | ${advertisedMin ?? versions[0]}-${versions[1]}${refused} | ${flexible} |`
    })
  return [
    '# Protocol',
    '',
    'The Kafka APIs that a broker answers, as it advertises them. Generated from `packages/protocol/src/apis` by `npm run docs`.',
    '',
    '| Key | API | Versions | Flexible versions |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
