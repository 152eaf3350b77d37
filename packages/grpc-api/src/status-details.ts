/** `google.rpc.Status` and the details that go with it, as bytes. The definitions come in a package of 70 MB; these are six messages. */

export type StatusDetail =
  | {
      readonly type: 'ErrorInfo'
      readonly reason: string
      readonly domain: string
      readonly metadata: Readonly<Record<string, string>>
    }
  | { readonly type: 'RetryInfo'; readonly retryAfterMs: number }
  | {
      readonly type: 'BadRequest'
      readonly violations: readonly { readonly field: string; readonly description: string }[]
    }
  | {
      readonly type: 'Help'
      readonly links: readonly { readonly description: string; readonly url: string }[]
    }
  | { readonly type: 'RequestInfo'; readonly requestId: string }

export function encodeStatus(
  code: number,
  message: string,
  details: readonly StatusDetail[],
): Buffer {
  return Buffer.concat([
    integer(1, code),
    text(2, message),
    ...details.map((detail) => nested(3, anyOf(detail))),
  ])
}

/** `google.protobuf.Any`. */
function anyOf(detail: StatusDetail): Buffer[] {
  return [text(1, `type.googleapis.com/google.rpc.${detail.type}`), nested(2, contentOf(detail))]
}

function contentOf(detail: StatusDetail): Buffer[] {
  switch (detail.type) {
    case 'ErrorInfo':
      return [
        text(1, detail.reason),
        text(2, detail.domain),
        ...Object.entries(detail.metadata).map(([key, value]) =>
          nested(3, [text(1, key), text(2, value)]),
        ),
      ]
    case 'RetryInfo': {
      const seconds = Math.floor(detail.retryAfterMs / 1000)
      const nanoseconds = Math.round((detail.retryAfterMs - seconds * 1000) * 1e6)
      return [nested(1, [integer(1, seconds), integer(2, nanoseconds)])]
    }
    case 'BadRequest':
      return detail.violations.map(({ field, description }) =>
        nested(1, [text(1, field), text(2, description)]),
      )
    case 'Help':
      return detail.links.map(({ description, url }) =>
        nested(1, [text(1, description), text(2, url)]),
      )
    case 'RequestInfo':
      return [text(1, detail.requestId)]
  }
}

const varintType = 0
const bytesType = 2

function integer(field: number, value: number): Buffer {
  return Buffer.from([...varint((field << 3) | varintType), ...varint(value)])
}

function text(field: number, value: string): Buffer {
  return nested(field, [Buffer.from(value)])
}

function nested(field: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const head = [...varint((field << 3) | bytesType), ...varint(content.length)]
  return Buffer.concat([Buffer.from(head), content])
}

/** Of a number that is not negative. */
function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return bytes
}
