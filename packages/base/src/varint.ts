/** Bytes that `value` takes as an unsigned varint. */
export function unsignedVarintSize(value: number): number {
  let size = 1
  for (let rest = value >>> 0; rest > 0x7f; rest >>>= 7) size++
  return size
}

/** Maps signed to unsigned so that small magnitudes stay short (Protocol Buffers, "ZigZag"). */
export function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}

export function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}

export function zigzag64(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
}

export function unzigzag64(value: bigint): bigint {
  return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
}
