/** `google.protobuf.Timestamp`; absent for what is not known. */
export function timestampOf(ms: number) {
  if (ms < 0) return undefined
  const seconds = Math.floor(ms / 1000)
  return { seconds: String(seconds), nanos: (ms - seconds * 1000) * 1_000_000 }
}
