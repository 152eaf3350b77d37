/** `google.protobuf.Timestamp` and `Duration`, which have the same fields. */
export interface ProtoTime {
  readonly seconds: string
  readonly nanos: number
}

/** Absent for what is not known. */
export function timestampOf(ms: number): ProtoTime | undefined {
  if (ms < 0) return undefined
  const seconds = Math.floor(ms / 1000)
  return { seconds: String(seconds), nanos: (ms - seconds * 1000) * 1_000_000 }
}

export function millisecondsOf({ seconds, nanos }: ProtoTime): number {
  return Number(seconds) * 1000 + Math.floor(nanos / 1_000_000)
}
