/** `localhost` is both loopback addresses: clients try either. An empty host is every address. */
export function addressesOf(host: string): string[] {
  if (host === 'localhost') return ['127.0.0.1', '::1']
  return [host === '' ? '::' : host]
}
