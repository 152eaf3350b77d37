import { expect, test } from 'vitest'
import { type KafkaError, kafkaErrorByCode, kafkaErrors } from './errors.ts'
import { errorsPage } from './errors-page.ts'

const all = Object.values<KafkaError>(kafkaErrors)

test('kafkaErrors has every code from -1 to 133 once', () => {
  const codes = all.map((error) => error.code).sort((a, b) => a - b)
  expect(codes).toEqual(Array.from({ length: 135 }, (_, i) => i - 1))
})

test('kafkaErrors agrees with Kafka on what a client may retry', () => {
  const retriable = all.filter((error) => error.retriable).map((error) => error.code)
  expect(retriable.sort((a, b) => a - b)).toEqual([
    2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88,
    89, 100, 103, 106, 122, 123, 133,
  ])
})

test('kafkaErrorByCode() finds an entry by its code', () => {
  for (const error of all) expect(kafkaErrorByCode(error.code)).toBe(error)
  expect(kafkaErrorByCode(0)).toBe(kafkaErrors.NONE)
})

test('kafkaErrorByCode() takes an unknown code for UNKNOWN_SERVER_ERROR', () => {
  expect(kafkaErrorByCode(134)).toBe(kafkaErrors.UNKNOWN_SERVER_ERROR)
  expect(kafkaErrorByCode(-2)).toBe(kafkaErrors.UNKNOWN_SERVER_ERROR)
})

test('errorsPage() has a row for every error', () => {
  const page = errorsPage()
  for (const { code, name } of all) expect(page).toContain(`| ${code} | ${name} |`)
})
