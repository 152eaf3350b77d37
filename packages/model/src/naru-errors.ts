/** A failure that is no answer of the Kafka protocol: looked up by `naru errors CODE` and listed in docs/ERRORS.md. */
export interface NaruErrorEntry {
  readonly code: string
  readonly name: string
  readonly meaning: string
  /** What to do about it; the hint of an error that has none of its own. */
  readonly remedy: string
}

/** Code, meaning, what to do. Codes stay: scripts and people look for them. */
const table = {
  UNKNOWN_KEY: [
    'NARU-CFG-001',
    'A configuration key is not known',
    'Correct the name: docs/CONFIG.md lists every key',
  ],
  NOT_HONOURED: [
    'NARU-CFG-002',
    'The configuration asks for something that this version does not have',
    'Take the setting away: doing nothing about it silently would be worse',
  ],
  INVALID_SETTING: [
    'NARU-CFG-003',
    'A configuration value, or a line of the file, cannot be read',
    'Correct the value: docs/CONFIG.md says what each key takes',
  ],
  UNREADABLE_CONFIGURATION: [
    'NARU-CFG-004',
    'The configuration file cannot be read',
    'Give a file in the form of server.properties with -c',
  ],
  USAGE: [
    'NARU-CLI-001',
    'The command line cannot be understood; nothing was sent',
    '--help of the command shows what it takes',
  ],
  NOT_CONFIRMED: [
    'NARU-CLI-002',
    'A command that loses data, or disturbs the cluster, was not confirmed; nothing was done',
    'Confirm it on a terminal, or add --yes',
  ],
  INVALID_LINE: [
    'NARU-CLI-003',
    'A line of the input cannot be a record',
    'Correct the line; the lines before it were sent',
  ],
  UNREADABLE_INPUT: [
    'NARU-CLI-004',
    'The input cannot be read',
    'Name a file that exists, or - for standard input',
  ],
  INTERRUPTED: [
    'NARU-CLI-005',
    'The command was interrupted before it was done',
    'What it reports as written is written; run it again for the rest',
  ],
  BROKER_ENDED: [
    'NARU-DEV-001',
    'The broker that `naru dev` runs has ended by itself',
    'Its last lines say why',
  ],
  FEWER_BROKERS: [
    'NARU-DEV-003',
    'Fewer brokers were asked for than the directory has',
    'Run all of them, or begin another cluster with --directory',
  ],
  BROKER_KILLED: [
    'NARU-DEV-004',
    'A broker did not stop in time, and `naru dev` has killed it',
    'What it has acknowledged is on the disk; its next start takes it up',
  ],
  DIRECTORY_LOCKED: [
    'NARU-DIR-001',
    'Another process uses the directory',
    'Stop the other broker, or use another directory',
  ],
  METADATA_CORRUPT: [
    'NARU-DIR-002',
    'The metadata on the disk is damaged',
    'Restore the directory from a backup, or start with an empty one',
  ],
  IDENTITY_MISMATCH: [
    'NARU-DIR-003',
    'The directory belongs to another node or cluster',
    'Use the directory of this node, or correct node.id',
  ],
  APPEND_FAILED: [
    'NARU-DIR-004',
    'The metadata cannot be written',
    'See to the disk: room, permissions, errors in the kernel log',
  ],
  UNUSABLE_DIRECTORY: [
    'NARU-DIR-005',
    'A directory cannot be made, read or written',
    'Use a directory that this user may write, on a disk that is well',
  ],
  ADDRESS_IN_USE: [
    'NARU-NET-001',
    'Another program listens on the address',
    'Stop it, or choose another port: naru dev --port, naru start --set listeners=…',
  ],
  CONNECTION_REFUSED: [
    'NARU-NET-002',
    'Nothing listens on the address',
    'Start the broker, or correct the address',
  ],
  UNKNOWN_HOST: [
    'NARU-NET-003',
    'The name of the host cannot be resolved',
    'Correct the name, or the DNS of this machine',
  ],
  TLS_ON_PORT: [
    'NARU-NET-004',
    'The port speaks TLS, and the connection is plaintext',
    'Use the plaintext listener: this version has no TLS',
  ],
  HTTP_ON_PORT: [
    'NARU-NET-005',
    'The port belongs to an HTTP server',
    "Use the broker's Kafka port, which is 9092 by default",
  ],
  NOT_KAFKA: [
    'NARU-NET-006',
    'The port belongs to a program that does not speak the Kafka protocol',
    "Use the broker's Kafka port, which is 9092 by default",
  ],
  NO_ROUTE: [
    'NARU-NET-007',
    'The address cannot be reached over the network',
    'See to network, firewall and address',
  ],
  CLOSED_WITHOUT_ANSWER: [
    'NARU-NET-008',
    'The connection was taken and closed again without an answer',
    'Is this the plaintext port of a Kafka broker? The log of the broker may say more',
  ],
  ADVERTISED_ADDRESS: [
    'NARU-NET-009',
    'A broker tells its clients to connect to an address that does not work from here',
    'Set advertised.listeners of the broker to an address that its clients can reach',
  ],
  REQUEST_TIMEOUT: [
    'NARU-NET-010',
    'A request was not answered in its time: whether it was done is not known',
    'See whether the cluster is well (naru cluster health), or give it longer with --timeout',
  ],
  INVALID_ADDRESS: [
    'NARU-NET-011',
    'An address cannot be read',
    'Write host:port, several with commas between them',
  ],
  CONNECTION_LOST: [
    'NARU-NET-012',
    'The connection ended before the answer came: whether the request was done is not known',
    'See whether the broker is well, then look before you repeat the request',
  ],
  UNREADABLE_ANSWER: [
    'NARU-NET-013',
    'A broker answered with bytes that do not make sense',
    'Report it, with the kind and version of the broker',
  ],
  UNUSABLE_ADDRESS: [
    'NARU-NET-014',
    'The broker cannot listen on the address',
    'Listen on an address of this machine, on a port that this user may use',
  ],
  UNSUPPORTED_API: [
    'NARU-API-001',
    'The broker does not offer what the command needs',
    'Use a newer broker',
  ],
  OVERLOADED: [
    'NARU-API-002',
    'More waits to be sent than the client keeps',
    'Await earlier sends, or send smaller records',
  ],
  CLOSED: ['NARU-API-003', 'The client was closed', 'Use it before it is closed'],
  NO_GRPC: [
    'NARU-API-004',
    'No broker that answers offers gRPC, which the command needs',
    'Set naru.grpc.listeners of a broker, as naru dev does: docs/CONFIG.md',
  ],
} as const

export type NaruErrorName = keyof typeof table

/** Every failure that has a code of ours. */
export const naruErrors = Object.fromEntries(
  Object.entries(table).map(([name, [code, meaning, remedy]]) => [
    name,
    { code, name, meaning, remedy },
  ]),
) as { readonly [N in NaruErrorName]: NaruErrorEntry & { readonly name: N } }
